"""Whether something a till did belongs to the shift that is open there now."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.kernel import clock, db
from backend.kernel.db import Tx

WITHOUT_SHIFTS = timedelta(hours=24)
"""How long after a till without shifts may take back what it did."""


async def in_its_shift(tx: Tx, terminal_id: str, at: datetime) -> bool:
    """Whether the shift of then is open still, held so until the transaction ends; a till without shifts has a day."""
    known = await db.fetch_in(tx, "SELECT FROM shift_terminal WHERE terminal_id = $1 FOR SHARE", terminal_id)
    if not known:
        return clock.now() - at < WITHOUT_SHIFTS
    rows = await db.fetch_in(
        tx,
        "SELECT FROM shift WHERE terminal_id = $1 AND state = 'open' AND opened_at <= $2 FOR SHARE",
        terminal_id,
        at,
    )
    return bool(rows)
