"""Use cases of members; each opens the one transaction it needs, and talks to WeChat before it."""
