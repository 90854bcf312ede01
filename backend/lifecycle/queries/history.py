"""What became of a member's level, newest first."""

from __future__ import annotations

from backend.kernel import db

from ..types import Entry, Why


async def list_history(member_id: int, *, before: int | None, limit: int) -> list[Entry]:
    """The lines of a member's history from below the line ``before`` on, newest first."""
    rows = await db.fetch(
        "SELECT seq, at, day, why, source, level, until, by, note FROM lifecycle_change"
        " WHERE member_id = $1 AND ($2::int IS NULL OR seq < $2) ORDER BY seq DESC LIMIT $3",
        member_id,
        before,
        limit,
    )
    return [
        Entry(
            seq=row["seq"],
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
