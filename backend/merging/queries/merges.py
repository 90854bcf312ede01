"""Merges that were done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from ..types import Merge, Moved

_MERGE = "SELECT id, source_id, target_id, approval_id, asked_by, decided_by, reason, moved, at FROM merging_merge"


def _merge(row: db.Record) -> Merge:
    return Merge(**dict(row) | {"moved": msgspec.json.decode(row["moved"], type=Moved)})


async def find_merge(merge_id: str) -> Merge | None:
    """One merge, or None."""
    row = await db.fetchrow(f"{_MERGE} WHERE id = $1", merge_id)
    return _merge(row) if row else None


async def find_merge_of(tx: Tx, source_id: int) -> Merge | None:
    """The merge by which a member became part of another, or None."""
    rows = await db.fetch_in(tx, f"{_MERGE} WHERE source_id = $1", source_id)
    return _merge(rows[0]) if rows else None


async def find_moment(source_id: int) -> datetime | None:
    """When a member became part of another, or None where that never happened."""
    at: datetime | None = await db.fetchval("SELECT at FROM merging_merge WHERE source_id = $1", source_id)
    return at


async def list_merges(target_ids: Sequence[int] | None, *, before: Place | None, limit: int) -> list[Merge]:
    """Merges, or those into one of these members, newest first."""
    rows = await db.fetch(
        f"{_MERGE} WHERE ($1::bigint[] IS NULL OR target_id = ANY($1))"
        " AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3)) ORDER BY at DESC, id DESC LIMIT $4",
        target_ids,
        *(before or (None, None)),
        limit,
    )
    return [_merge(row) for row in rows]
