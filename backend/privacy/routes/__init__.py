"""Calls about consents, archives and erasure."""
