"""Counting what is sold, by article and day; and how products rank by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.ledger.types import Document

from .. import service

AT_ONCE = 500
ROUNDS = 200
RANKED_DAYS = 30
KEPT_DAYS = 60

_CLAIM = """
DELETE FROM mall_sold_due d USING (
    SELECT sale_id, refund_id FROM mall_sold_due ORDER BY sale_id, refund_id LIMIT $1 FOR UPDATE SKIP LOCKED) w
 WHERE d.sale_id = w.sale_id AND d.refund_id = w.refund_id RETURNING d.member_id, d.sale_id, d.refund_id"""


class _Line(msgspec.Struct):
    line_no: int
    sku: str = ""
    qty: int = 0


class _Body(msgspec.Struct):
    lines: list[_Line] = []


async def count_due() -> int:
    """Add what was noted to the sums of its days; returns how many sales and refunds it was.

    A refund is taken off the day of its sale, so that both leave the last 30 days together.
    """
    counted = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            rows = await db.fetch_in(tx, _CLAIM, AT_ONCE)
            keys = {(row["member_id"], id_) for row in rows for id_ in (row["sale_id"], row["refund_id"]) if id_}
            documents = await ledger.find_documents(sorted(keys))
            await service.add_sold(tx, _sums([(row["sale_id"], row["refund_id"]) for row in rows], documents))
        counted += len(rows)
        if len(rows) < AT_ONCE:
            break
    return counted


def _sums(due: Iterable[tuple[str, str]], documents: Mapping[str, Document]) -> Counter[tuple[str, date]]:
    """Pieces by SKU and day; what was noted of documents that are not there counts nothing."""
    zone, found = settings().timezone, Counter[tuple[str, date]]()
    for sale_id, refund_id in due:
        sale, refund = documents.get(sale_id), documents.get(refund_id or sale_id)
        if sale is None or refund is None:
            continue
        sold_on = clock.local_date(sale.at, zone)
        lines = {line.line_no: line for line in msgspec.convert(sale.body, _Body).lines if line.line_no > 0}
        moved = msgspec.convert(refund.body, _Body).lines if refund_id else lines.values()
        for line in moved:
            if line.line_no in lines:
                found[lines[line.line_no].sku, sold_on] += -line.qty if refund_id else line.qty
    return found


async def rank() -> int:
    """Say of each product how many pieces were sold in the last 30 days; returns of how many that changed.

    Hourly, and not with each sale: between two runs the pages of a list follow each other whatever is sold.
    """
    today = clock.local_date(clock.now(), settings().timezone)
    async with db.transaction() as tx:
        changed = await service.rank_sold(tx, today - timedelta(days=RANKED_DAYS))
        await db.raw(tx).execute("DELETE FROM mall_sold WHERE sold_on < $1", today - timedelta(days=KEPT_DAYS))
    return changed
