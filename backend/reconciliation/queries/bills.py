"""Bills and their items."""

from __future__ import annotations

from datetime import date

from backend.kernel import db
from backend.kernel.known import known
from backend.wechat.types import BillKind

from ..types import Bill, BillState, DaySums, Item, What

BILL = "SELECT day, state, tries, due_at, sha1, lines, paid_fen, refunded_fen, fee, taken_at FROM reconciliation_bill"
_ITEM = (
    "SELECT kind, number, day, store_id, source, document_id, transaction_id, theirs_fen, theirs_at, ours_fen, ours_at,"
    " difference FROM reconciliation_item"
)


def bill_of(row: db.Record) -> Bill:
    """A row of ``BILL``."""
    return Bill(**dict(row) | {"state": BillState(row["state"])})


def _item(row: db.Record) -> Item:
    return Item(
        **dict(row)
        | {
            "kind": BillKind(row["kind"]),
            "difference": known(What, row["difference"], What.OTHER) if row["difference"] else None,
        }
    )


async def find_bill(day: date) -> Bill | None:
    """A day's bill, or None where nobody asked for it."""
    row = await db.fetchrow(f"{BILL} WHERE day = $1", day)
    return bill_of(row) if row else None


async def list_bills(first: date, last: date) -> list[Bill]:
    """The bills of these days, the last one first."""
    rows = await db.fetch(f"{BILL} WHERE day BETWEEN $1 AND $2 ORDER BY day DESC", first, last)
    return [bill_of(row) for row in rows]


_DAYS = """
SELECT day, count(*) AS items,
       coalesce(sum(theirs_fen) FILTER (WHERE kind = 'payment'), 0)::bigint AS theirs_paid_fen,
       coalesce(sum(ours_fen)   FILTER (WHERE kind = 'payment'), 0)::bigint AS ours_paid_fen,
       coalesce(sum(theirs_fen) FILTER (WHERE kind = 'refund'),  0)::bigint AS theirs_refunded_fen,
       coalesce(sum(ours_fen)   FILTER (WHERE kind = 'refund'),  0)::bigint AS ours_refunded_fen,
       (SELECT count(*) FROM reconciliation_difference d WHERE d.day = i.day AND d.state IN ('open', 'working')) AS open
  FROM reconciliation_item i WHERE day BETWEEN $1 AND $2 AND coalesce(theirs_fen, ours_fen) IS NOT NULL
 GROUP BY day ORDER BY day DESC
"""


async def list_days(first: date, last: date) -> list[DaySums]:
    """Both sides' sums of these days that have items, the last one first."""
    return [DaySums(**row) for row in await db.fetch(_DAYS, first, last)]


async def list_items(day: date, *, differs: bool, after: tuple[str, str] | None, limit: int) -> list[Item]:
    """A day's items by kind and number, from behind that one; with ``differs`` only those whose sides do not agree."""
    only = " AND difference IS NOT NULL" if differs else ""
    rows = await db.fetch(
        f"{_ITEM} WHERE day = $1 AND coalesce(theirs_fen, ours_fen) IS NOT NULL{only}"
        " AND ($2::text IS NULL OR (kind, number) > ($2, $3))"
        " ORDER BY kind, number LIMIT $4",
        day,
        *(after or (None, None)),
        limit,
    )
    return [_item(row) for row in rows]
