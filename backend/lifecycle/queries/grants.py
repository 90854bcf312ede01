"""Levels that were given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel import db
from backend.kernel.db import Tx

from ..types import Grant, Source

GRANT = "SELECT member_id, id, level, source, reason, until, staff_id, at, ended_at, ended_by FROM lifecycle_grant"
MOST = 100


def grant_of(row: db.Record) -> Grant:
    """A grant from its row."""
    return Grant(**dict(row) | {"source": Source(row["source"])})


async def list_live_grants(tx: Tx, member_ids: Sequence[int], today: date) -> dict[int, list[Grant]]:
    """The grants of these members that are good on a day, by member."""
    rows = await db.fetch_in(
        tx,
        f"{GRANT} WHERE member_id = ANY($1::bigint[]) AND ended_at IS NULL AND (until IS NULL OR until >= $2)",
        list(member_ids),
        today,
    )
    found: dict[int, list[Grant]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(grant_of(row))
    return found


async def list_grants(member_id: int) -> list[Grant]:
    """A member's grants, newest first; at most a hundred."""
    rows = await db.fetch(f"{GRANT} WHERE member_id = $1 ORDER BY at DESC, id LIMIT {MOST}", member_id)
    return [grant_of(row) for row in rows]


async def find_grant(member_id: int, grant_id: str) -> Grant | None:
    """One of a member's grants, or None."""
    row = await db.fetchrow(f"{GRANT} WHERE member_id = $1 AND id = $2", member_id, grant_id)
    return grant_of(row) if row else None
