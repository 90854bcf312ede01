"""What became of a member's level, newest first."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import Entry, Why

_HISTORY = """
SELECT * FROM (SELECT seq, at, day, why, source, level, until, by, note,
                      (lpad(seq::text, 9, '0') || '.' || member_id) COLLATE "C" AS place
                 FROM lifecycle_change WHERE member_id = $1) AS line
 WHERE $2::timestamptz IS NULL OR (at, place) < ($2, $3)
 ORDER BY at DESC, place DESC LIMIT $4"""


async def list_history(member_id: int, *, before: Place | None, limit: int) -> list[Entry]:
    """The lines of the history that stands under this member's id, from below that place on, newest first."""
    rows = await db.fetch(_HISTORY, member_id, *(before or (None, "")), limit)
    return [
        Entry(
            seq=row["seq"],
            place=row["place"],
            at=row["at"],
            on=row["day"],
            why=Why(row["why"]),
            source=row["source"],
            level=row["level"],
            until=row["until"],
            by=row["by"],
            note=row["note"],
        )
        for row in rows
    ]
