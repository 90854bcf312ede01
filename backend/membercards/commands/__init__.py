"""Use cases of member cards; each opens the one transaction it needs."""
