"""Row locks of announcements and chapters."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries.announcements import ANNOUNCEMENT, announcement_of
from .types import Announcement

HANDBOOK = 0x68616E64
"""The advisory lock of who changes the handbook: its tree is judged as a whole."""


async def lock_announcement(tx: Tx, announcement_id: str) -> Announcement:
    """An announcement, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{ANNOUNCEMENT} WHERE id = $1 FOR UPDATE", announcement_id)
    if not rows:
        raise NotFound("there is no such announcement")
    return announcement_of(rows[0])


async def lock_handbook(tx: Tx) -> None:
    """Take the handbook's turn: nobody else changes it until the transaction's end."""
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", HANDBOOK)
