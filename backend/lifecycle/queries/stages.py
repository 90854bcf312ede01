"""How many members are in which stage: now, and day by day."""

from __future__ import annotations

from datetime import date

from backend.kernel import db
from backend.members.types import Stage


async def count_stages(store_id: str | None) -> dict[Stage, int]:
    """How many active members are in each stage now; of a store's, or of all."""
    rows = await db.fetch(
        "SELECT stage, count(*) AS members FROM member WHERE status = 'active' AND stage IS NOT NULL"
        " AND ($1::text IS NULL OR store_id = $1) GROUP BY stage",
        store_id,
    )
    return {Stage(row["stage"]): row["members"] for row in rows}


async def list_stage_counts(store_id: str | None, first: date, last: date) -> dict[date, dict[Stage, int]]:
    """How many they were at the end of each of these days, as far as somebody counted."""
    rows = await db.fetch(
        "SELECT day, stage, sum(members)::int AS members FROM lifecycle_stage_count"
        " WHERE day BETWEEN $2 AND $3 AND ($1::text IS NULL OR store_id = $1) GROUP BY day, stage ORDER BY day",
        store_id,
        first,
        last,
    )
    found: dict[date, dict[Stage, int]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[Stage(row["stage"])] = row["members"]
    return found
