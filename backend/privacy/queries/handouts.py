"""Archives that staff handed out."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db

from ..types import Handout, HandoutState, Proof

HANDOUT = (
    "SELECT id, export_id, member_id, store_id, staff_id, proof, reason, state, approval_id, approved_by, asked_at,"
    " until, fetched_at FROM privacy_handout"
)


def handout_of(row: db.Record) -> Handout:
    """A row of ``HANDOUT``."""
    return Handout(**dict(row) | {"proof": Proof(row["proof"]), "state": HandoutState(row["state"])})


async def find_handout(handout_id: str) -> Handout | None:
    """One, or None."""
    row = await db.fetchrow(f"{HANDOUT} WHERE id = $1", handout_id)
    return handout_of(row) if row else None


async def list_handouts_of(member_id: int, *, limit: int) -> list[Handout]:
    """What was handed to a member, newest first."""
    rows = await db.fetch(f"{HANDOUT} WHERE member_id = $1 ORDER BY asked_at DESC, id LIMIT $2", member_id, limit)
    return [handout_of(row) for row in rows]


async def list_handouts(store_id: str | None, *, before: tuple[datetime, str] | None, limit: int) -> list[Handout]:
    """Newest first, from below ``before``; ``store_id`` keeps it to that store's members."""
    rows = await db.fetch(
        f"{HANDOUT} WHERE ($1::text IS NULL OR store_id = $1)"
        " AND ($2::timestamptz IS NULL OR asked_at < $2 OR (asked_at = $2 AND id > $3))"
        " ORDER BY asked_at DESC, id LIMIT $4",
        store_id,
        *(before or (None, None)),
        limit,
    )
    return [handout_of(row) for row in rows]
