"""Archives that were asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from backend.kernel import db

from ..types import Export, ExportState

EXPORT = (
    "SELECT id, member_id, state, staff_id, reason, day, asked_at, place, after, parts, rows, lists, lists_all, bytes,"
    " ready_at, until FROM privacy_export"
)


def export_of(row: db.Record) -> Export:
    """An archive from a row of ``EXPORT``."""
    after = msgspec.json.decode(row["after"]) if row["after"] else None
    return Export(**dict(row) | {"state": ExportState(row["state"]), "after": after})


async def find_export(export_id: str) -> Export | None:
    """An archive, or None."""
    row = await db.fetchrow(f"{EXPORT} WHERE id = $1", export_id)
    return export_of(row) if row else None


async def list_exports_of(member_id: int, *, limit: int) -> list[Export]:
    """A member's archives, newest first."""
    rows = await db.fetch(f"{EXPORT} WHERE member_id = $1 ORDER BY asked_at DESC, id LIMIT $2", member_id, limit)
    return [export_of(row) for row in rows]


async def list_exports(store_id: str | None, *, before: tuple[datetime, str] | None, limit: int) -> list[Export]:
    """Archives newest first, from below ``before``; ``store_id`` keeps it to that store's members."""
    rows = await db.fetch(
        f"{EXPORT} WHERE ($1::text IS NULL OR store_id = $1)"
        " AND ($2::timestamptz IS NULL OR asked_at < $2 OR (asked_at = $2 AND id > $3))"
        " ORDER BY asked_at DESC, id LIMIT $4",
        store_id,
        *(before or (None, None)),
        limit,
    )
    return [export_of(row) for row in rows]


async def pieces(export_id: str) -> AsyncIterator[str]:
    """The sealed pieces of an archive, in order, one at a time."""
    seq = 0
    while (
        sealed := await db.fetchval(
            "SELECT sealed FROM privacy_piece WHERE export_id = $1 AND seq = $2", export_id, seq
        )
    ) is not None:
        yield sealed
        seq += 1
