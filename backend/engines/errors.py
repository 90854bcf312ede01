"""What can go wrong with an embedded engine."""

from __future__ import annotations


class EngineError(Exception):
    """An embedded engine cannot start or stop; the message says what a user can do about it."""


class DataInUse(EngineError):
    """Another process runs the engines of this data directory."""
