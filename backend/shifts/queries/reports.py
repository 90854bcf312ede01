"""Closed shifts together, for finance."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from backend.kernel import db

from ..types import Row

By = Literal["store", "terminal", "cashier", "day", "shift"]
MOST_ROWS = 5000

_KEYS: dict[str, str] = {
    "store": "s.store_id",
    "terminal": "s.terminal_id",
    "cashier": "s.cashier",
    "day": "to_char(s.closed_at AT TIME ZONE $3, 'YYYY-MM-DD')",
    "shift": "s.terminal_id || ' Z' || s.z_number",
}
# What a tender's row of the figures says; cash is always there.
_CASH = "(SELECT t FROM jsonb_array_elements(s.figures->'tenders') AS t WHERE t->>'tender' = 'cash' LIMIT 1)"


def _statement(by: By) -> str:
    return f"""
SELECT {_KEYS[by]} AS key, CASE WHEN count(DISTINCT s.store_id) = 1 THEN min(s.store_id) END AS store_id,
       count(*) AS shifts,
       sum((s.figures->'sales'->>'count')::bigint)::bigint AS sales,
       sum((s.figures->'sales'->>'fen')::bigint)::bigint AS sales_fen,
       sum((s.figures->>'discount_fen')::bigint)::bigint AS discount_fen,
       sum((s.figures->'refunds'->>'fen')::bigint)::bigint AS refunds_fen,
       sum((s.figures->'recharges'->>'fen')::bigint - (s.figures->'recharge_reversals'->>'fen')::bigint)::bigint
           AS recharges_fen,
       sum((s.figures->'gift_cards'->>'fen')::bigint - (s.figures->'gift_cards_undone'->>'fen')::bigint)::bigint
           AS gift_cards_fen,
       sum((cash->>'expected_fen')::bigint)::bigint AS cash_expected_fen,
       sum((cash->>'counted_fen')::bigint)::bigint AS cash_counted_fen,
       sum(s.difference_fen)::bigint AS difference_fen,
       count(*) FILTER (WHERE s.difference IN ('open', 'waiting')) AS unresolved
  FROM shift s CROSS JOIN LATERAL {_CASH} AS c (cash)
 WHERE s.state = 'closed' AND s.closed_at >= $1 AND s.closed_at < $2 AND ($4::text IS NULL OR s.store_id = $4)
   AND $3::text IS NOT NULL
 GROUP BY 1 ORDER BY 1 LIMIT $5"""  # noqa: S608 - put together of constants


_STATEMENTS = {by: _statement(by) for by in get_args(By)}


async def list_rows(by: By, since: datetime, until: datetime, *, zone: str, store_id: str | None) -> list[Row]:
    """Shifts that were closed in that time, by store, terminal, cashier, day of the zone, or each alone.

    At most ``MOST_ROWS``, and one more where there are more.
    """
    rows = await db.fetch(_STATEMENTS[by], since, until, zone, store_id, MOST_ROWS + 1)
    return [Row(**dict(row)) for row in rows]
