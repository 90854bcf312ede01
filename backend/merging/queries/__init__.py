"""Reads of merges and candidates (public)."""

from .candidates import find_candidate, list_candidates, list_people
from .merges import find_merge, find_merge_of, find_moment, list_merges

__all__ = [
    "find_candidate",
    "find_merge",
    "find_merge_of",
    "find_moment",
    "list_candidates",
    "list_merges",
    "list_people",
]
