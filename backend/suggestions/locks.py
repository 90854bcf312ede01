"""Row locks: a box before what is in it."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries.boxes import BOX, box_of
from .queries.suggestions import SUGGESTION, suggestion_of
from .types import Box, Suggestion

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""

MIXING = "hashtextextended('suggestion mixing', 0)"
"""Held by whoever works on a suggestion, so that none is taken out and put back meanwhile: it would not be found."""


async def lock_box(tx: Tx, box_id: str) -> Box:
    """A box, to be changed; ``NotFound`` for none."""
    return await _box(tx, box_id, "FOR UPDATE OF b")


async def hold_box(tx: Tx, box_id: str) -> Box:
    """A box as it stands; it is not changed before the transaction ends."""
    return await _box(tx, box_id, "FOR SHARE OF b")


async def _box(tx: Tx, box_id: str, how: str) -> Box:
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{BOX} WHERE b.id = $1 {how}", box_id)
    if not rows:
        raise NotFound("there is no such box")
    return box_of(rows[0])


async def lock_suggestion(tx: Tx, suggestion_id: str) -> Suggestion:
    """A suggestion, to be added to; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    await db.raw(tx).execute(f"SELECT pg_advisory_xact_lock_shared({MIXING})")
    rows = await db.fetch_in(tx, f"{SUGGESTION} WHERE s.id = $1 FOR UPDATE", suggestion_id)
    if not rows:
        raise NotFound("there is no such suggestion")
    return suggestion_of(rows[0])


async def lock_all(tx: Tx) -> None:
    """Let nobody work on a suggestion, and wait for those who do."""
    await db.raw(tx).execute(WITHIN)
    await db.raw(tx).execute(f"SELECT pg_advisory_xact_lock({MIXING})")
