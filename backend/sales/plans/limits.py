"""What of their own a member may pay with on one day without confirming it, at tills and online together."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.ledger.plans import Guard

PASSWORD_FREE = "password_free"  # noqa: S105 - the name of a limit


def day_mark(on: date) -> str:
    """The name under which the ledger counts a member's day."""
    return f"free:{on.isoformat()}"


def day_guard(on: date, value_fen: int, now: datetime, *, cap_fen: int) -> Guard:
    """Count so much as paid without confirmation, inside the door; refused as ``PASSWORD_FREE`` above the cap."""
    return Guard(day_mark(on), "add", value_fen, PASSWORD_FREE, cap=cap_fen, expires_at=now + timedelta(days=3))
