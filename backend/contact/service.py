"""Writing down who looked at whom."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx

from .types import By, Outcome, View

_NOTE = "INSERT INTO contact_look (id, at, staff_id, by, outcome, member_id, view) VALUES ($1, $2, $3, $4, $5, $6, $7)"
_FORGET = "DELETE FROM contact_look WHERE id IN (SELECT id FROM contact_look WHERE at < $1 ORDER BY at LIMIT $2)"


async def note(tx: Tx, staff_id: int, by: By, outcome: Outcome, member_id: int | None, view: View | None) -> None:
    """Write down that somebody looked; never what they typed."""
    await db.raw(tx).execute(_NOTE, ids.new_bigint(), clock.now(), staff_id, by, outcome, member_id, view)


async def forget(tx: Tx, before: datetime, limit: int) -> int:
    """Forget the oldest looks from before that moment; returns how many it were."""
    status: str = await db.raw(tx).execute(_FORGET, before, limit)
    return int(status.rpartition(" ")[2])
