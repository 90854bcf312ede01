"""How the demo's products rank by what was sold: its year was not sold sale by sale, so nobody counted."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.kernel import db
from backend.kernel.config import settings
from backend.mall.commands import selling

_SOLD = """
INSERT INTO mall_sold (sku, sold_on, qty)
SELECT line->>'sku', (d.at AT TIME ZONE $2)::date, sum((line->>'qty')::bigint)
  FROM ledger_document d CROSS JOIN LATERAL jsonb_array_elements(d.body->'lines') AS line
  JOIN mall_article a ON a.sku = line->>'sku'
 WHERE d.kind = 'sale' AND d.state = 'completed' AND d.at >= $1 GROUP BY 1, 2
    ON CONFLICT DO NOTHING"""


async def count(now: datetime) -> None:
    """Count the last thirty days of the year, as the jobs will go on to do."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(_SOLD, now - timedelta(days=selling.RANKED_DAYS + 1), settings().timezone)
    await selling.rank()
