"""Boxes by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel import db

from ..types import Month


async def list_months(box_ids: Sequence[str], since: date, until: date, zone: str) -> list[Month]:
    """These boxes by the month in which suggestions were made, the newest first; days of ``zone``, both included."""
    rows = await db.fetch(
        "SELECT box_id, date_trunc('month', day)::date AS month, count(*) AS received,"
        " count(*) FILTER (WHERE member_id IS NULL) AS anonymous,"
        " count(*) FILTER (WHERE answered_at IS NOT NULL) AS answered,"
        " count(*) FILTER (WHERE state = 'closed') AS closed,"
        " count(rating) AS rated, coalesce(sum(rating), 0)::bigint AS rating_sum,"
        " percentile_cont(0.5) WITHIN GROUP (ORDER BY (answered_at AT TIME ZONE $4)::date - day)"
        " FILTER (WHERE answered_at IS NOT NULL) AS answer_days"
        " FROM suggestion WHERE box_id = ANY($1) AND day BETWEEN $2 AND $3"
        " GROUP BY box_id, date_trunc('month', day) ORDER BY month DESC, box_id",
        list(box_ids),
        since,
        until,
        zone,
    )
    return [Month(**dict(row)) for row in rows]
