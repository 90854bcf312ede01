"""How much is allowed: whole numbers, no reads."""

from __future__ import annotations

from datetime import date

from .types import Limit

BP = 10_000


def allowed_fen(limit: Limit, total_fen: int) -> int:
    """How much of a sale of ``total_fen`` the limit lets be given: both its share, rounded down, and its amount."""
    return min(limit.sale_fen, total_fen * limit.sale_bp // BP)


def day_fen_mark(on: date) -> str:
    """The name under which the ledger counts what somebody authorised on a day, in fen."""
    return f"override:fen:{on.isoformat()}"


def day_count_mark(on: date) -> str:
    """The same in number."""
    return f"override:count:{on.isoformat()}"
