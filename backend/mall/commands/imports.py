"""Importing large tables: a job reads the file, then writes it, and says meanwhile how far it is.

All of it in one transaction, or little by little, each product with all of its rows. What was cut short is taken up
again: reading begins anew, writing goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice

import asyncpg
import msgspec

from backend.kernel import clock, db, ids, incoming, jobs, logging
from backend.kernel.db import Tx
from backend.ledger.errors import IdempotencyConflict

from .. import service, shown
from ..queries import imports as queries
from ..rules.tables import RowFlaw, read_heading
from .tables import Result, write_rows

log = logging.get(__name__)

JOB = "mall.run_import"
AT_ONCE = 1_000
MOST_FLAWS = 10_000
LARGEST_PRODUCT = 200
"""Rows of one product: a choice of more cannot be kept."""

COUNTS = ("products_new", "products_changed", "articles_new", "articles_changed")
_ALONE = "SELECT pg_advisory_xact_lock(1298230380, hashtext($1))"
_INSERT = """
INSERT INTO mall_import (id, key, digest, kind, on_error, state, body, staff_id, created_at)
VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8) ON CONFLICT (key) DO NOTHING RETURNING id"""
_ROWS = """
INSERT INTO mall_import_row (import_id, place, row_no, cells)
SELECT $1::varchar, place, n, cells::jsonb FROM unnest($2::text[], $3::int[], $4::text[]) AS r (place, n, cells)"""
_CHUNK = """
SELECT place, row_no, cells FROM mall_import_row WHERE import_id = $1 AND place > $2 COLLATE "C"
 ORDER BY place, row_no LIMIT $3"""
_FLAWS = """
INSERT INTO mall_import_flaw (import_id, row_no, field, message)
SELECT $1::varchar, * FROM unnest($2::int[], $3::text[], $4::text[]) LIMIT $5 ON CONFLICT DO NOTHING"""
_TWICE = """
INSERT INTO mall_import_flaw (import_id, row_no, field, message)
SELECT $1::varchar, row_no, 'sku', 'is named in row ' || first || ' already'
  FROM (SELECT row_no, cells->>$2::int AS sku, min(row_no) OVER (PARTITION BY cells->>$2::int) AS first
          FROM mall_import_row WHERE import_id = $1::varchar) r
 WHERE row_no > first AND sku <> '' ORDER BY row_no LIMIT $3 ON CONFLICT DO NOTHING"""
_TOO_LARGE = """
INSERT INTO mall_import_flaw (import_id, row_no, field, message)
SELECT $1::varchar, min(row_no), 'product', 'has more than ' || $2::int || ' articles'
  FROM mall_import_row WHERE import_id = $1::varchar
 GROUP BY place HAVING count(*) > $2::int ORDER BY 2 LIMIT $3 ON CONFLICT DO NOTHING"""
_LEAVE_OUT = """
DELETE FROM mall_import_row WHERE import_id = $1 AND place IN (
    SELECT r.place FROM mall_import_row r JOIN mall_import_flaw f ON f.import_id = r.import_id AND f.row_no = r.row_no
     WHERE r.import_id = $1) RETURNING 1"""


class _Refused(Exception):
    """Ends the transaction that would have written a table in which something is wrong."""


async def begin(data: bytes, kind: str, on_error: str, *, key: str, staff_id: int) -> str:
    """Take a file in and have it imported; the same with the same key is the same import. Returns its id.

    ``IdempotencyConflict`` where that key was used for another file.
    """
    import_id, digest = ids.new_short("I"), hashlib.sha256(f"{kind} {on_error} ".encode() + data).digest()
    unique = f"{staff_id}/{key}"
    async with db.transaction() as tx:
        made = await db.fetch_in(tx, _INSERT, import_id, unique, digest, kind, on_error, data, staff_id, clock.now())
        if made:
            await jobs.defer(tx, JOB, import_id=import_id)
            log.info("mall.import_begun", import_id=import_id, staff_id=staff_id, size=len(data))
            return import_id
        known = await db.fetch_in(tx, "SELECT id, digest FROM mall_import WHERE key = $1", unique)
    if bytes(known[0]["digest"]) != digest:
        raise IdempotencyConflict
    return str(known[0]["id"])


async def run(import_id: str) -> None:
    """Read and write what was sent; run again, it goes on where it was, and what has ended stays as it is."""
    found = await queries.get_import(import_id)
    if found.state in ("waiting", "reading"):
        await _read(import_id, found.kind)
        found = await queries.get_import(import_id)
    if found.state != "writing":
        return
    if found.on_error == "skip":
        while await _write_some(import_id):
            pass
    else:
        await _write_all(import_id)
    shown.forget()
    ended = await queries.get_import(import_id)
    log.info("mall.import_ended", import_id=import_id, state=ended.state, rows=ended.rows, skipped=ended.rows_skipped)


# -- reading


async def _read(import_id: str, kind: str) -> None:
    """Keep the file's rows, those of a product together; what is wrong with the whole of it ends the import."""
    async with db.transaction() as tx:
        await _forget_rows(tx, import_id)
        data = await db.raw(tx).fetchval(
            "UPDATE mall_import SET state = 'reading' WHERE id = $1 RETURNING body", import_id
        )
    rows_of = incoming.rows_of_csv if kind == "csv" else incoming.rows_of_xlsx
    rows = rows_of(data, most=incoming.MOST_IMPORT_ROWS)
    try:
        heading = await asyncio.to_thread(next, rows, None)
        columns, flaws = read_heading(heading or [])
        numbered, count = enumerate(rows, 2), 0
        while not flaws and (piece := await asyncio.to_thread(list, islice(numbered, AT_ONCE))):
            count += await _keep(import_id, columns, piece)
        if not flaws and not count:
            flaws = [RowFlaw(1, "", "the table has no rows below its heading")]
    except incoming.NotATable as error:
        columns, flaws, count = [], [RowFlaw(1, "", f"the table {error}")], 0
    async with db.transaction() as tx:
        await _keep_flaws(tx, import_id, flaws)
        if not flaws:
            await db.raw(tx).execute(_TWICE, import_id, columns.index("sku"), MOST_FLAWS)
            await db.raw(tx).execute(_TOO_LARGE, import_id, LARGEST_PRODUCT, MOST_FLAWS)
        await db.raw(tx).execute(
            "UPDATE mall_import SET state = 'writing', body = NULL, columns = $2, rows = $3 WHERE id = $1",
            import_id,
            msgspec.json.encode(columns).decode(),
            count,
        )
        wrong = await db.raw(tx).fetchval("SELECT count(*) FROM mall_import_flaw WHERE import_id = $1", import_id)
        if wrong and (flaws or (await _on_error(tx, import_id)) == "refuse"):
            await _end(tx, import_id, "refused")
        elif wrong:
            left_out = len(await db.fetch_in(tx, _LEAVE_OUT, import_id))
            await _count(tx, import_id, done=left_out, skipped=left_out)


async def _keep(import_id: str, columns: Sequence[str], piece: list[tuple[int, list[str]]]) -> int:
    """Keep some rows; returns how many of them are not empty."""
    product, sku = (columns.index(name) if name in columns else None for name in ("product", "sku"))

    def place(cells: Sequence[str]) -> str:
        names = (cells[at][:70] if at is not None and at < len(cells) else "" for at in (product, sku))
        of_product, alone = names
        return f"P {of_product}" if of_product else f"S {alone}"

    kept = [(place(cells), number, msgspec.json.encode(cells).decode()) for number, cells in piece if cells]
    if kept:
        async with db.transaction() as tx:
            await db.raw(tx).execute(_ROWS, import_id, *map(list, zip(*kept, strict=True)))
    return len(kept)


async def _on_error(tx: Tx, import_id: str) -> str:
    return str(await db.raw(tx).fetchval("SELECT on_error FROM mall_import WHERE id = $1", import_id))


# -- writing


async def _write_all(import_id: str) -> None:
    """Everything in one transaction; where something is wrong, nothing, and all that is wrong is kept."""
    flaws: list[RowFlaw] = []
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(_ALONE, import_id)
            if not await _still_writing(tx, import_id):
                return
            columns, done, place = await _columns(tx, import_id), 0, ""
            counts = dict.fromkeys(COUNTS, 0)
            while chunk := await _chunk(tx, import_id, place):
                result = await _written(tx, columns, [row[1:] for row in chunk])
                flaws += result.flaws
                counts = {name: counts[name] + getattr(result, name) for name in COUNTS}
                done, place = done + len(chunk), chunk[-1][0]
                # On a connection of its own: who asks how far it is sees what is not written yet.
                await db.pool().execute("UPDATE mall_import SET rows_done = $2 WHERE id = $1", import_id, done)
            if flaws:
                raise _Refused
            await _count(tx, import_id, counts=counts)
            await _end(tx, import_id, "done")
    except _Refused:
        async with db.transaction() as tx:
            await _keep_flaws(tx, import_id, flaws)
            await _end(tx, import_id, "refused")


async def _write_some(import_id: str) -> bool:
    """The next products; those of which a row is wrong are left out. Returns whether there may be more."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(_ALONE, import_id)
        if not await _still_writing(tx, import_id):
            return False
        columns = await _columns(tx, import_id)
        place = await db.raw(tx).fetchval("SELECT place FROM mall_import WHERE id = $1", import_id)
        chunk = await _chunk(tx, import_id, place)
        if not chunk:
            await _end(tx, import_id, "done")
            return False
        left = chunk
        while True:
            result = await _written(tx, columns, [row[1:] for row in left])
            if not result.flaws:
                break
            await _keep_flaws(tx, import_id, result.flaws)
            wrong = {flaw.row for flaw in result.flaws}
            places = {row[0] for row in left if row[1] in wrong}
            left = [row for row in left if row[0] not in places]
        counts = {name: getattr(result, name) for name in COUNTS}
        await _count(tx, import_id, done=len(chunk), skipped=len(chunk) - len(left), counts=counts)
        await db.raw(tx).execute("UPDATE mall_import SET place = $2 WHERE id = $1", import_id, chunk[-1][0])
    return True


async def _written(tx: Tx, columns: list[str], rows: list[tuple[int, list[str]]]) -> Result:
    """Write these rows, in a savepoint; what only the database sees is a flaw of the first of them."""
    if not rows:
        return Result(0, 0, 0, 0, 0, [])
    try:
        async with db.raw(tx).transaction():
            return await write_rows(tx, columns, rows, at=clock.now())
    except asyncpg.UniqueViolationError:
        return Result(
            0, 0, 0, 0, 0, [RowFlaw(number, "", "two articles near this row are one choice") for number, _ in rows]
        )


Row = tuple[str, int, list[str]]
"""Which product's it is, its number in the file, and its cells."""


async def _chunk(tx: Tx, import_id: str, after: str) -> list[Row]:
    """The next rows, each product's whole."""
    found = await db.fetch_in(tx, _CHUNK, import_id, after, AT_ONCE + 1)
    rows = [(row["place"], row["row_no"], msgspec.json.decode(row["cells"], type=list[str])) for row in found]
    if len(rows) <= AT_ONCE:
        return rows
    return [row for row in rows if row[0] != rows[-1][0]]


async def _still_writing(tx: Tx, import_id: str) -> bool:
    return bool(await db.raw(tx).fetchval("SELECT state = 'writing' FROM mall_import WHERE id = $1", import_id))


async def _columns(tx: Tx, import_id: str) -> list[str]:
    text = await db.raw(tx).fetchval("SELECT columns FROM mall_import WHERE id = $1", import_id)
    return msgspec.json.decode(text, type=list[str])


async def _keep_flaws(tx: Tx, import_id: str, flaws: Iterable[RowFlaw]) -> None:
    told = sorted({(flaw.row, flaw.field[:40], flaw.message[:200]) for flaw in flaws})[:MOST_FLAWS]
    if told:
        already = await db.raw(tx).fetchval("SELECT count(*) FROM mall_import_flaw WHERE import_id = $1", import_id)
        columns = map(list, zip(*told, strict=True))
        await db.raw(tx).execute(_FLAWS, import_id, *columns, max(0, MOST_FLAWS - already))


async def _count(
    tx: Tx, import_id: str, *, done: int = 0, skipped: int = 0, counts: dict[str, int] | None = None
) -> None:
    await db.raw(tx).execute(
        "UPDATE mall_import SET rows_done = rows_done + $2, rows_skipped = rows_skipped + $3,"
        " products_new = products_new + $4, products_changed = products_changed + $5,"
        " articles_new = articles_new + $6, articles_changed = articles_changed + $7 WHERE id = $1",
        import_id,
        done,
        skipped,
        *(counts or dict.fromkeys(COUNTS, 0)).values(),
    )


async def _end(tx: Tx, import_id: str, state: str) -> None:
    """Ended: its rows are forgotten, what it did is written down."""
    now = clock.now()
    rows = await db.fetch_in(
        tx,
        "UPDATE mall_import SET state = $2, ended_at = $3, body = NULL WHERE id = $1"
        " RETURNING staff_id, rows, rows_skipped, products_new, products_changed, articles_new, articles_changed",
        import_id,
        state,
        now,
    )
    staff_id, *numbers = rows[0]
    await db.raw(tx).execute("DELETE FROM mall_import_row WHERE import_id = $1", import_id)
    if state == "done":
        detail = dict(zip(("rows", "rows_skipped", *COUNTS), numbers, strict=True))
        await service.note(tx, "import", import_id, staff_id, "import", detail, now)


async def _forget_rows(tx: Tx, import_id: str) -> None:
    for table in ("mall_import_row", "mall_import_flaw"):
        await db.raw(tx).execute(f"DELETE FROM {table} WHERE import_id = $1", import_id)  # noqa: S608 - two constants


async def forget_old() -> int:
    """Forget imports that ended sixty days ago; returns how many."""
    async with db.transaction() as tx:
        gone = await db.fetch_in(tx, queries.OLD, clock.now() - queries.KEPT)
        for row in gone:
            await _forget_rows(tx, row["id"])
            await db.raw(tx).execute("DELETE FROM mall_import WHERE id = $1", row["id"])
    return len(gone)
