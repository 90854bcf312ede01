"""Use cases of reconciliation and clearing."""
