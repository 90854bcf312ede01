"""What becomes of rebates, as facts."""

from __future__ import annotations

from datetime import date

from backend.kernel.events import Event


class RebatePaid(Event, frozen=True, kw_only=True):
    """A statement was paid to the member's rebate account; ``expires_on`` is the first last day of it."""

    member_id: int
    statement_id: str
    fen: int
    first: date
    last: date
    expires_on: date | None
