"""What the demo's members bought in their year: it was not sold sale by sale, so nobody noted it."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.config import settings

# What `audience.commands.purchases` makes of sales of which nothing came back, in two statements.
_SALES = """
INSERT INTO audience_sale (member_id, sale_id, due, sold_on, pieces)
SELECT d.member_id, d.id, false, (d.at AT TIME ZONE $1)::date, l.pieces
  FROM ledger_document d CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(sku, qty) AS pieces FROM (
              SELECT line->>'sku' AS sku, sum((line->>'qty')::bigint) AS qty
                FROM jsonb_array_elements(d.body->'lines') AS line GROUP BY 1) s) l
 WHERE d.kind = 'sale' AND d.state = 'completed'
    ON CONFLICT DO NOTHING"""
_BOUGHT = """
INSERT INTO audience_bought (member_id, sku, pieces, times, last_on)
SELECT s.member_id, p.key, sum(p.value::bigint), count(*), max(s.sold_on)
  FROM audience_sale s CROSS JOIN LATERAL jsonb_each_text(s.pieces) AS p GROUP BY 1, 2"""


async def count_year() -> None:
    """Count the year, and leave nothing to be looked back at."""
    async with db.transaction() as tx:
        connection = db.raw(tx)
        await connection.execute(_SALES, settings().timezone)
        await connection.execute(_BOUGHT)
        await connection.execute("UPDATE audience_backfill SET done = true")
