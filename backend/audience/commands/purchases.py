"""Counting what members bought, by article: of each sale as much as its document says was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.members import queries as members

from .. import rules

AT_ONCE = 500
ROUNDS = 200
KINDS = ("sale", "order")
"""The documents of purchases, at a till and in the mall."""

Key = tuple[int, str]
"""A sale: its member and its id."""

_ALONE = "SELECT pg_advisory_xact_lock(7305201614)"
"""Counts are sums of what was counted: nobody else may count meanwhile."""

_DUE = """
SELECT member_id, sale_id, pieces::text AS pieces FROM audience_sale WHERE due
 ORDER BY member_id, sale_id LIMIT $1 FOR UPDATE SKIP LOCKED"""
_KNOWN = f"""
SELECT s.member_id, s.sale_id, s.pieces::text AS pieces FROM audience_sale s
  JOIN unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, sale_id) USING (member_id, sale_id)
   FOR UPDATE OF s"""  # noqa: S608 - put together of constants
_COUNTED = """
INSERT INTO audience_sale AS s (member_id, sale_id, due, sold_on, pieces)
SELECT member_id, sale_id, false, sold_on, pieces::jsonb
  FROM unnest($1::bigint[], $2::text[], $3::date[], $4::text[]) AS c (member_id, sale_id, sold_on, pieces)
    ON CONFLICT (member_id, sale_id) DO UPDATE
       SET due = false, sold_on = EXCLUDED.sold_on, pieces = EXCLUDED.pieces"""
_ADD = """
INSERT INTO audience_bought AS b (member_id, sku, pieces, times, last_on)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::date[])
    ON CONFLICT (member_id, sku) DO UPDATE SET pieces = b.pieces + EXCLUDED.pieces,
       times = b.times + EXCLUDED.times, last_on = greatest(b.last_on, EXCLUDED.last_on)"""
# What came back may be what was bought last: of these articles the member's sales are read again.
_FRESH = f"""
WITH fresh AS (
    SELECT w.member_id, w.sku, sum((s.pieces->>w.sku)::bigint) AS pieces, count(s.sale_id) AS times,
           max(s.sold_on) AS last_on
      FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, sku)
      LEFT JOIN audience_sale s ON s.member_id = w.member_id AND s.pieces ? w.sku
     GROUP BY 1, 2
), gone AS (
    DELETE FROM audience_bought b USING fresh f
     WHERE f.times = 0 AND b.member_id = f.member_id AND b.sku = f.sku
)
INSERT INTO audience_bought (member_id, sku, pieces, times, last_on)
SELECT member_id, sku, pieces, times, last_on FROM fresh WHERE times > 0
    ON CONFLICT (member_id, sku) DO UPDATE
       SET pieces = EXCLUDED.pieces, times = EXCLUDED.times, last_on = EXCLUDED.last_on"""  # noqa: S608 - constants


async def count_due() -> int:
    """Count the sales that were noted; returns how many it were."""
    counted = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            await db.raw(tx).execute(_ALONE)
            rows = await db.fetch_in(tx, _DUE, AT_ONCE)
            keys = [(row["member_id"], row["sale_id"]) for row in rows]
            await _count(tx, await ledger.find_documents_of([key[1] for key in keys]), _pieces(rows), keys)
        counted += len(rows)
        if len(rows) < AT_ONCE:
            break
    return counted


async def look_back() -> int:
    """Go on counting the sales from before anybody counted, by member and id; returns how many documents it were.

    One place in the database says how far it came, so it is taken up where it was cut short; put
    back to the beginning it counts everything anew, which harms nothing.
    """
    counted = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            await db.raw(tx).execute(_ALONE)
            place = await db.fetch_in(tx, "SELECT member_id, document_id FROM audience_backfill WHERE NOT done")
            if not place:
                break
            documents = await ledger.list_documents_after(
                KINDS, place[0]["member_id"], place[0]["document_id"], AT_ONCE
            )
            now = await members.current_ids({document.member_id for document in documents})
            keys = [(now.get(document.member_id, document.member_id), document.id) for document in documents]
            known = await db.fetch_in(tx, _KNOWN, [key[0] for key in keys], [key[1] for key in keys])
            await _count(tx, {document.id: document for document in documents}, _pieces(known), keys)
            await db.raw(tx).execute(
                "UPDATE audience_backfill SET member_id = $1, document_id = $2, done = $3",
                *(keys[-1] if keys else (0, "")),
                len(keys) < AT_ONCE,
            )
        counted += len(keys)
        if len(keys) < AT_ONCE:
            break
    return counted


def _pieces(rows: Iterable[db.Record]) -> dict[Key, dict[str, int]]:
    return {(row["member_id"], row["sale_id"]): msgspec.json.decode(row["pieces"]) for row in rows}


async def _count(
    tx: Tx, documents: Mapping[str, Document], before: Mapping[Key, Mapping[str, int]], keys: Sequence[Key]
) -> None:
    """Bring the counts from what was counted of these sales to what their documents say; those without one count none.

    The caller holds these sales' rows, as far as there are any, and counts alone.
    """
    if not keys:
        return
    zone = settings().timezone
    kept: dict[Key, dict[str, int]] = {}
    days: dict[Key, date | None] = {}
    for key in keys:
        document = documents.get(key[1])
        found = document is not None and document.kind in KINDS
        kept[key] = rules.pieces_kept(document.state, document.body, document.progress) if document and found else {}
        days[key] = clock.local_date(document.at, zone) if document and found else None
    await db.raw(tx).execute(
        _COUNTED,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [days[key] for key in keys],
        [msgspec.json.encode(kept[key]).decode() for key in keys],
    )
    await _sum_up(tx, kept, before, days)


async def _sum_up(
    tx: Tx,
    kept: Mapping[Key, Mapping[str, int]],
    before: Mapping[Key, Mapping[str, int]],
    days: Mapping[Key, date | None],
) -> None:
    """Add what became more; read again what became less."""
    less = {(key[0], sku) for key in kept for sku, qty in before.get(key, {}).items() if kept[key].get(sku, 0) < qty}
    pieces, times = Counter[Key](), Counter[Key]()
    last: dict[Key, date] = {}
    for key, now in kept.items():
        on = days[key]
        for sku, qty in now.items():
            article, had = (key[0], sku), before.get(key, {}).get(sku, 0)
            if article in less or qty == had or on is None:
                continue
            pieces[article] += qty - had
            times[article] += not had
            last[article] = max(last.get(article, on), on)
    more = sorted(pieces)
    if more:
        columns = [[article[place] for article in more] for place in (0, 1)]
        counts = [[found[article] for article in more] for found in (pieces, times)]
        await db.raw(tx).execute(_ADD, *columns, *counts, [last[article] for article in more])
    if less:
        again = sorted(less)
        await db.raw(tx).execute(_FRESH, [article[0] for article in again], [article[1] for article in again])
