"""Calls about groups and key accounts."""
