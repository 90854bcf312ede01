"""Writes that take an open transaction (public): facts, looks at members, and levels that are given."""

from .facts import note_purchase, note_return, write_facts
from .granting import end_grant, end_granted, grant, grant_months, keep_granted
from .looking import Because, look
from .merging import merge

__all__ = [
    "Because",
    "end_grant",
    "end_granted",
    "grant",
    "grant_months",
    "keep_granted",
    "look",
    "merge",
    "note_purchase",
    "note_return",
    "write_facts",
]
