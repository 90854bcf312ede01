"""The catalogue out as a table, and a table in: all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial

import asyncpg
import msgspec

from backend.kernel import clock, db, incoming, logging
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, ValidationFailed, invalid

from .. import service, shown
from ..errors import CatalogueConflict
from ..queries import rows
from ..queries.tree import shelves
from ..rules import checking
from ..rules.tables import COLUMNS, Reader, RowFlaw, Wanted, cells_of, read_heading, read_keys
from ..types import ArticleRow, Known

log = logging.get(__name__)

MOST_TOLD = 100
"""Mistakes that one answer names."""

HEADING = list(COLUMNS.values())
_PAGE = 2_000
_reading = asyncio.Semaphore(1)
"""A table takes seconds of a processor to read: one at a time in a process."""


class Result(msgspec.Struct, frozen=True):
    """What a table says, and what is wrong with it."""

    rows: int
    products_new: int
    products_changed: int
    articles_new: int
    articles_changed: int
    flaws: list[RowFlaw]


class _Undo(Exception):
    """Ends a transaction without keeping what it wrote."""


async def export() -> AsyncIterator[list[list[str | int]]]:
    """All articles with their products, by SKU, as pages of rows below ``HEADING``."""
    after = ""
    while page := await rows.list_articles(after, _PAGE):
        products = await rows.read_products(db.fetch, sorted({a.product_id for a in page if a.product_id is not None}))
        kept = {product_id: each.row for product_id, each in products.items()}
        yield [cells_of(article, kept.get(article.product_id or "")) for article in page]
        after = page[-1].sku


async def import_table(data: bytes, kind: str, *, dry_run: bool, staff_id: int) -> Result:
    """Add and change what a table says; with ``dry_run`` only look.

    Refused with every mistake up to a hundred, by row and column; one mistake and nothing is written.
    """
    async with _reading:
        try:
            read = incoming.read_csv if kind == "csv" else incoming.read_xlsx
            table = await asyncio.to_thread(read, data)
        except incoming.NotATable as error:
            raise invalid("", f"the table {error}") from error
    if len(table) < 2:
        raise invalid("", "the table has no rows below its heading")
    columns, flaws = read_heading(table[0])
    if flaws:
        return _told(Result(len(table) - 1, 0, 0, 0, 0, flaws), dry_run=dry_run)
    result = Result(0, 0, 0, 0, 0, [])
    try:
        async with db.transaction() as tx:
            now = clock.now()
            result = await write_rows(tx, columns, list(enumerate(table[1:], 2)), at=now)
            if dry_run or result.flaws:
                raise _Undo
            detail = msgspec.structs.asdict(result) | {"flaws": None}
            await service.note(tx, "import", now.date().isoformat(), staff_id, "import", detail, now)
    except _Undo:
        pass
    except asyncpg.UniqueViolationError as error:
        raise CatalogueConflict(
            "another change of the catalogue was quicker, or two articles are one choice"
        ) from error
    if not dry_run and not result.flaws:
        shown.forget()
        log.info("mall.imported", staff_id=staff_id, rows=result.rows)
    return _told(result, dry_run=dry_run)


def _told(result: Result, *, dry_run: bool) -> Result:
    """The result, with mistakes in the order of rows; ``ValidationFailed`` for any, unless this was only a look."""
    flaws = sorted(result.flaws, key=lambda flaw: flaw.row)[:MOST_TOLD]
    if flaws and not dry_run:
        errors = tuple(FieldError(f"/rows/{flaw.row}/{flaw.field}", flaw.message) for flaw in flaws)
        raise ValidationFailed(f"row {flaws[0].row}, {flaws[0].field}: {flaws[0].message}", errors=errors)
    return msgspec.structs.replace(result, flaws=flaws)


async def write_rows(tx: Tx, columns: list[str], table: Sequence[tuple[int, list[str]]], *, at: datetime) -> Result:
    """Read numbered rows against what is known, locked, and write them where nothing is wrong."""
    fetch = partial(db.fetch_in, tx)
    product_ids, skus = read_keys(columns, (cells for _, cells in table))
    await service.lock(tx, sorted(product_ids), sorted(skus))
    kept = await rows.read_products(fetch, sorted(product_ids))
    articles = await rows.read_articles(fetch, sorted(skus))
    reader = Reader(
        columns,
        attributes=(await shelves()).attributes,
        products={product_id: each.row for product_id, each in kept.items()},
        articles=articles,
    )
    await asyncio.to_thread(_read_all, reader, table)
    wanted, flaws = reader.wanted, list(reader.flaws)
    known = await service.lock_known(tx, list(wanted.products.values()), wanted.articles)
    others = [a for a in await rows.articles_of(fetch, sorted(wanted.products)) if a.sku not in skus]
    flaws += await asyncio.to_thread(_flaws, wanted, others, known)
    if not flaws:
        await service.write(tx, list(wanted.products.values()), wanted.articles, at=at, whole=False)
    return Result(
        rows=len(wanted.articles),
        products_new=len(wanted.products.keys() - kept.keys()),
        products_changed=len(wanted.products.keys() & kept.keys()),
        articles_new=len({a.sku for a in wanted.articles} - articles.keys()),
        articles_changed=len({a.sku for a in wanted.articles} & articles.keys()),
        flaws=flaws,
    )


def _read_all(reader: Reader, table: Sequence[tuple[int, list[str]]]) -> None:
    for number, cells in table:
        reader.read(number, cells)


def _flaws(wanted: Wanted, others: list[ArticleRow], known: Known) -> list[RowFlaw]:
    """What the rows get wrong beside each other and beside the products' other articles."""
    flaws = [
        RowFlaw(wanted.article_rows[flaw.article or 0], flaw.field, flaw.message)
        for flaw in checking.flaws_of_articles(wanted.articles, known)
    ]
    numbers: dict[str, list[int]] = {product_id: [] for product_id in wanted.products}
    articles: dict[str, list[ArticleRow]] = {product_id: [] for product_id in wanted.products}
    for article, number in zip(wanted.articles, wanted.article_rows, strict=True):
        if article.product_id is not None:
            numbers[article.product_id].append(number)
            articles[article.product_id].append(article)
    for article in others:
        articles[article.product_id or ""].append(article)
    for product_id, product in wanted.products.items():
        for flaw in checking.flaws_of_product(product, articles[product_id], known):
            of_row = flaw.article is not None and flaw.article < len(numbers[product_id])
            at = numbers[product_id][flaw.article or 0] if of_row else wanted.product_rows[product_id]
            flaws.append(RowFlaw(at, flaw.field, flaw.message))
    return flaws
