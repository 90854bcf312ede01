"""What each till or cashier sold with coupons, from the sales' documents, and was refused, from the counts of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.kernel import db

from . import service
from .rules.anomalies import SOON_MINUTES, TRIES_A_DAY, Seller

MOST_CASHIERS = 5

# By cashier ($4) a sale is its cashier's, at whichever till of the store; one that names nobody is its till's.
SOLD = """
WITH sale AS MATERIALIZED (
    SELECT member_id, id, at, store_id, body ? 'coupons' AS with_coupon,
           CASE WHEN $4 AND memo ? 'cashier' THEN '' ELSE body->>'terminal_id' END AS terminal_id,
           CASE WHEN $4 THEN memo->>'cashier' END AS cashier
      FROM ledger_document
     WHERE kind = 'sale' AND at >= $1 AND at < $2 AND state IN ('completed', 'partly_refunded', 'refunded')
), refund AS MATERIALIZED (
    SELECT member_id, body->>'sale_id' AS sale_id, min(at) AS at FROM ledger_document
     WHERE kind = 'refund' AND at >= $1 AND at < $2::timestamptz + $3::interval
     GROUP BY 1, 2
)
SELECT s.store_id, s.terminal_id, s.cashier, count(*), count(*) FILTER (WHERE s.with_coupon),
       count(*) FILTER (WHERE s.with_coupon AND r.at <= s.at + $3::interval)
  FROM sale s LEFT JOIN refund r ON r.member_id = s.member_id AND r.sale_id = s.id
 GROUP BY s.store_id, s.terminal_id, s.cashier
"""

REFUSED = """
WITH coupon AS (
    SELECT store_id, CASE WHEN $4 AND cashier <> '' THEN '' ELSE terminal_id END AS terminal_id,
           CASE WHEN $4 THEN cashier ELSE '' END AS mark, coupon, sum(tries) AS tries
      FROM coupon_refusal WHERE on_date >= $1 AND on_date <= $2 GROUP BY on_date, 1, 2, 3, 4
)
SELECT store_id, terminal_id, mark, sum(tries)::bigint, count(*) FILTER (WHERE coupon <> '' AND tries >= $3),
       coalesce(max(tries) FILTER (WHERE coupon <> ''), 0)::bigint
  FROM coupon GROUP BY store_id, terminal_id, mark
"""

_CASHIERS = """
SELECT terminal_id, cashier, tries FROM (
    SELECT terminal_id, cashier, sum(tries)::bigint AS tries,
           row_number() OVER (PARTITION BY terminal_id ORDER BY sum(tries) DESC, cashier) AS place
      FROM coupon_refusal
     WHERE on_date >= $1 AND on_date <= $2 AND terminal_id = ANY($3) AND cashier <> ''
     GROUP BY terminal_id, cashier) AS counted
 WHERE place <= $4 ORDER BY terminal_id, place
"""


async def list_sellers(
    begin: datetime, end: datetime, *, first: date, last: date, by_cashier: bool = False
) -> list[Seller]:
    """What each till of the chain sold from ``begin`` on and before ``end``, and was refused on those local days.

    ``by_cashier``: what each cashier of a store did at all of its tills, and each till where no cashier was named.
    """
    sold = {
        (row[0], row[1], _mark(row[0], row[2])): (row[2], *row[3:])
        for row in await db.fetch(SOLD, begin, end, timedelta(minutes=SOON_MINUTES), by_cashier)
    }
    refused = {
        (row[0], row[1], row[2]): tuple(row)[3:]
        for row in await db.fetch(REFUSED, first, last, TRIES_A_DAY, by_cashier)
    }
    return [
        Seller(*key, *sold.get(key, (None, 0, 0, 0)), *refused.get(key, (0, 0, 0)))
        for key in sold.keys() | refused.keys()
    ]


def _mark(store_id: str, cashier: str | None) -> str:
    """The mark under which a cashier's refusals are counted; '' for nobody."""
    return service.mark_of(f"{store_id}/{cashier}") if cashier else ""


async def list_cashiers(first: date, last: date, terminal_ids: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """Who was refused most at each of these tills, as marks with their counts; five of a till, the most first."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in await db.fetch(_CASHIERS, first, last, list(terminal_ids), MOST_CASHIERS):
        found.setdefault(row[0], []).append((row[1], row[2]))
    return found
