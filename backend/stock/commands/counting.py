"""Counting what lies at a place, while goods go on moving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.errors import invalid
from backend.kernel.money import MAX_AMOUNT
from backend.mall import queries as mall

from .. import queries
from ..errors import CountOpen
from ..types import Document, DocumentKind, DocumentLine, DocumentState
from . import documents
from .documents import Entry, changing

log = logging.get(__name__)

MOST_LINES = 5000

_COUNT = """
INSERT INTO stock_document_line AS l (document_id, line_no, sku, qty, book_qty, seen, unit_fen)
SELECT $1::varchar, (SELECT coalesce(max(line_no), 0) FROM stock_document_line WHERE document_id = $1::varchar)
           + row_number() OVER (ORDER BY w.sku), w.sku, w.qty, coalesce(v.on_hand, 0), coalesce(v.version, 0),
       CASE WHEN v.on_hand > 0 THEN v.value_fen / v.on_hand ELSE w.cost END
  FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS w (sku, qty, cost)
  LEFT JOIN stock_level v ON v.place_id = $2 AND v.sku = w.sku
    ON CONFLICT (document_id, sku) DO UPDATE
   SET qty = EXCLUDED.qty, book_qty = EXCLUDED.book_qty, seen = EXCLUDED.seen, unit_fen = EXCLUDED.unit_fen
RETURNING sku, abs(qty - book_qty)::numeric * unit_fen AS worth_fen"""


async def begin(place_id: str, skus: Sequence[str] | None, text: str, caller: StaffCaller) -> Document:
    """Open a count of these articles, or of all that the place keeps; one at a time for a place."""
    if skus is None:
        levels = await queries.list_levels(place_id, limit=MOST_LINES + 1)
        skus = [level.sku for level in levels]
    if not 0 < len(set(skus)) <= MOST_LINES:
        raise invalid("/skus", f"a count has from 1 to {MOST_LINES} articles; name some")
    known = await mall.find_article_names(skus)
    if lacking := sorted(set(skus) - known.keys()):
        raise invalid("/skus", f"there is no article {lacking[0]}")
    lines = [DocumentLine(line_no=place, sku=sku, qty=0) for place, sku in enumerate(sorted(set(skus)), 1)]
    now = clock.now()
    entry = Entry(place_id=place_id, lines=(), note=text)
    try:
        async with db.transaction() as tx:
            document_id = await documents.insert(
                tx, DocumentKind.STOCKTAKE, DocumentState.DRAFT, entry, lines, caller.staff_id, now=now
            )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "stock_one_count_at_a_time":
            raise
        raise CountOpen from None
    log.info("stock.count_begun", document_id=document_id, place_id=place_id, staff_id=caller.staff_id)
    return await queries.get_document(document_id)


async def count(document_id: str, counted: Mapping[str, int], caller: StaffCaller) -> Document:
    """Keep what was counted just now, beside what the books say; of an article counted again the last counts.

    What moves from now on is added when the count is posted. An article that was found and is in no line gets one.
    ``ValidationFailed`` where a difference is worth more than any amount may be: somebody scanned a number for a count.
    """
    known = await mall.find_article_names(counted)
    if lacking := sorted(counted.keys() - known.keys()):
        raise invalid("/items", f"there is no article {lacking[0]}")
    async with changing(document_id, "count", caller) as (tx, document, _):
        if len({line.sku for line in document.lines} | counted.keys()) > MOST_LINES:
            raise invalid("/items", f"a count has at most {MOST_LINES} articles")
        skus = sorted(counted)
        costs = [known[sku][1] or 0 for sku in skus]
        kept = await db.fetch_in(
            tx, _COUNT, document_id, document.place_id, skus, [counted[sku] for sku in skus], costs
        )
        if large := sorted(row["sku"] for row in kept if row["worth_fen"] > MAX_AMOUNT):
            raise invalid("/items", f"the difference of {large[0]} is worth too much: is it counted right?")
    return await queries.get_document(document_id)
