"""Reads of letters, templates and consents (public)."""

from .consents import Word, refused_in
from .inbox import count_unread, find_letter, list_inbox
from .templates import builtins, declare, find_template, of_builtin

__all__ = [
    "Word", "builtins", "count_unread", "declare", "find_letter", "find_template", "list_inbox", "of_builtin",
    "refused_in",
]  # fmt: skip
