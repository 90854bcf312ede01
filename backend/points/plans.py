"""What points put into plans: pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.ledger.plans import Guard

from .types import Earned

CAP = "points_cap"
"""The refusal of a promotion's most for a member and a day: plan again with what was taken before."""

CAP_KEPT = timedelta(days=10)
"""How long a day's count is kept: offline sales are told of up to a week later."""


def count_caps(earned: Earned, now: datetime) -> tuple[Guard, ...]:
    """Count, inside the door, what promotions add for the member on the day; refused as ``CAP`` above their most."""
    return tuple(Guard(use.mark, "add", use.points, CAP, cap=use.cap, expires_at=now + CAP_KEPT) for use in earned.caps)
