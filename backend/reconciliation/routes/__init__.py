"""The calls of reconciliation and clearing."""
