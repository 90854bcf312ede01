"""How many cases there were, and how long they took."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db

from ..rules import WAITING
from ..types import Figures, Grouping

_WAITING = "state IN ({})".format(", ".join(f"'{state.value}'" for state in WAITING))
_KEYS = {
    Grouping.KIND: "kind",
    Grouping.STORE: "coalesce(store_id, '')",
    Grouping.STAFF: "coalesce(answered_by, assigned_to)::text",
}
_ANSWER = "extract(epoch FROM answered_at - created_at)::float8"
_CLOSE = "extract(epoch FROM closed_at - created_at)::float8"


def _percentile(part: float, seconds: str, when: str) -> str:
    return f"percentile_cont({part}) WITHIN GROUP (ORDER BY {seconds}) FILTER (WHERE {when} IS NOT NULL)"


_FIGURES = f"""
SELECT coalesce(%s, '') AS key, count(*) AS cases, count(*) FILTER (WHERE {_WAITING}) AS waiting,
       count(*) FILTER (WHERE {_WAITING} AND due_at <= $4) AS overdue, count(answered_at) AS answered,
       count(closed_at) AS closed, count(*) FILTER (WHERE round > 1) AS reopened,
       count(given) AS given, coalesce(sum((given->>'points')::bigint), 0)::bigint AS points_given,
       count(rating) AS rated, coalesce(sum(rating), 0)::bigint AS rating_sum,
       {_percentile(0.5, _ANSWER, "answered_at")} AS answer_p50_s,
       {_percentile(0.9, _ANSWER, "answered_at")} AS answer_p90_s,
       {_percentile(0.5, _CLOSE, "closed_at")} AS close_p50_s,
       {_percentile(0.9, _CLOSE, "closed_at")} AS close_p90_s
  FROM feedback_case
 WHERE created_at >= $1 AND created_at < $2 AND ($3::text IS NULL OR store_id = $3)"""  # noqa: S608 - constants


async def list_figures(
    by: Grouping, since: datetime, until: datetime, store_id: str | None, now: datetime
) -> list[Figures]:
    """Cases opened in that time by kind, store or person, most first; whose is nobody's stands under ``''``."""
    rows = await db.fetch(
        f"{_FIGURES % _KEYS[by]} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000", since, until, store_id, now
    )
    return [Figures(**dict(row)) for row in rows]


async def total_figures(since: datetime, until: datetime, store_id: str | None, now: datetime) -> Figures:
    """All cases opened in that time."""
    row = await db.fetchrow(_FIGURES % "NULL::text", since, until, store_id, now)
    assert row is not None
    return Figures(**dict(row))
