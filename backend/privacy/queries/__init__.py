"""Reads (public)."""

from .consents import (
    find_purpose,
    list_changes,
    list_consents,
    list_purposes,
    list_texts,
    read_sharing,
)
from .erasures import find_erasure, find_open_erasure, list_erasures, was_here
from .exports import find_export, list_exports, list_exports_of
from .handouts import find_handout, list_handouts, list_handouts_of

__all__ = [
    "find_erasure",
    "find_export",
    "find_handout",
    "find_open_erasure",
    "find_purpose",
    "list_changes",
    "list_consents",
    "list_erasures",
    "list_exports",
    "list_exports_of",
    "list_handouts",
    "list_handouts_of",
    "list_purposes",
    "list_texts",
    "read_sharing",
    "was_here",
]
