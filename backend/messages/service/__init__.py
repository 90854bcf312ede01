"""Writes that take an open transaction (public): letters, what becomes of them, and what members agree to."""

from ..queries.templates import declare
from .consents import set_consent
from .recording import record
from .sending import send

__all__ = ["declare", "record", "send", "set_consent"]
