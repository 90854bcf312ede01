"""What was deferred for passes and what they earned in a range of days, by the books: one query, so one snapshot.

Every leg of ``service_value`` is one pass's, and the leg after it is where its value came from or went to: the rows of
passes tell the product, that leg the store.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.kernel import db, windows
from backend.ledger.plans import HOUSE_BREAKAGE, HOUSE_SERVICE_INCOME

Key = tuple[str, str, str]
"""A month (``2026-11``), a product, and a store (empty: none)."""


class Line(msgspec.Struct, kw_only=True):
    """What was booked in a month for a product in a store, in fen.

    ``deferred_fen`` was paid for passes; of it ``recognised_fen`` was earned by uses and days, net of undone ones,
    ``breakage_fen`` was for uses that nobody took, and ``refunded_fen`` went back to sales.
    """

    sold: int = 0
    deferred_fen: int = 0
    recognised_fen: int = 0
    breakage_fen: int = 0
    refunded_fen: int = 0


class Statement(msgspec.Struct, frozen=True):
    """Lines by key, ascending; ``open_fen`` is what of each product was not earned at the end of the range."""

    lines: dict[Key, Line]
    total: Line
    open_fen: dict[str, int]


_READ = """
SELECT 'moved' AS what, to_char(e.at AT TIME ZONE $4, 'YYYY-MM') AS month, p.product_id,
       coalesce(nullif(c.ref, ''), p.store_id, '') AS store_id, t.kind, c.kind AS against,
       sum(e.amount)::bigint AS fen, sum(p.paid_fen)::bigint AS paid_fen, count(*) AS passes
  FROM pass_card p
  JOIN ledger_entry e ON e.member_id = p.member_id AND e.kind = 'service_value' AND e.ref = p.id
   AND e.at >= $1 AND e.at < $2
  JOIN ledger_transfer t ON t.member_id = e.member_id AND t.seq = e.seq
  JOIN ledger_entry c ON c.member_id = e.member_id AND c.seq = e.seq AND c.leg = e.leg + 1 AND c.at = e.at
 WHERE p.issued_at < $2 AND (p.ended_at IS NULL OR p.ended_at >= $1) AND p.paid_fen > 0
   AND ($3::text IS NULL OR coalesce(nullif(c.ref, ''), p.store_id, '') = $3)
 GROUP BY 2, 3, 4, 5, 6
UNION ALL
SELECT 'open', '', p.product_id, '', '', '',
       sum(a.balance - coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.member_id = p.member_id
           AND e.kind = 'service_value' AND e.ref = p.id AND e.at >= $2), 0))::bigint, 0, 0
  FROM pass_card p
  JOIN ledger_account a ON a.member_id = p.member_id AND a.kind = 'service_value' AND a.ref = p.id
 WHERE p.issued_at < $2 AND (p.ended_at IS NULL OR p.ended_at >= $2) AND ($3::text IS NULL OR p.store_id = $3)
 GROUP BY p.product_id
"""


def bounds(from_on: date, to_on: date, zone: str, *, most_days: int) -> tuple[datetime, datetime]:
    """The instants between which these local days lie; refuses a range that is backwards or too long."""
    return windows.of_days(from_on, to_on, zone, most=most_days)


async def get_statement(begin: datetime, end: datetime, zone: str, *, store_id: str | None) -> Statement:
    """What was booked from ``begin`` to before ``end``, by months of ``zone``; of one store, or of all."""
    lines: dict[Key, Line] = {}
    total, open_fen = Line(), {}
    for row in await db.fetch(_READ, begin, end, store_id, zone):
        if row["what"] == "open":
            open_fen[row["product_id"]] = row["fen"]
            continue
        key = row["month"], row["product_id"], row["store_id"]
        for line in (lines.setdefault(key, Line()), total):
            _add(line, row)
    return Statement(dict(sorted(lines.items())), total, open_fen)


def _add(line: Line, row: db.Record) -> None:
    kind, fen = row["kind"], row["fen"]
    if kind == "sale":
        line.sold += row["passes"]
        line.deferred_fen += fen
    elif kind == "refund":  # all of the price goes back, also what days had earned of it
        line.refunded_fen += row["paid_fen"]
        line.recognised_fen -= row["paid_fen"] + fen
    elif row["against"] == HOUSE_SERVICE_INCOME:
        line.recognised_fen -= fen
    elif row["against"] == HOUSE_BREAKAGE:
        line.breakage_fen -= fen
    else:
        line.refunded_fen -= fen
