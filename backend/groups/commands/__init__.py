"""Use cases of groups and key accounts."""
