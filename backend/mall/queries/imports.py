"""Imports of large tables: how far they are, and what is wrong with their rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from backend.kernel import db
from backend.kernel.errors import NotFound

from ..rules.tables import RowFlaw

KEPT = timedelta(days=60)
OLD = "SELECT id FROM mall_import WHERE ended_at < $1 ORDER BY ended_at LIMIT 500"
LISTED = 50
_PAGE = 2_000

_IMPORT = """
SELECT id, kind, on_error, state, rows, rows_done, rows_skipped, products_new, products_changed, articles_new,
       articles_changed, staff_id, created_at, ended_at,
       (SELECT count(*) FROM mall_import_flaw f WHERE f.import_id = i.id) AS errors_total
  FROM mall_import i"""
_FLAWS = """
SELECT row_no, field, message FROM mall_import_flaw WHERE import_id = $1 AND (row_no, field, message) > ($2, $3, $4)
 ORDER BY row_no, field, message LIMIT $5"""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """An import as it stands."""

    id: str
    kind: str
    on_error: str
    state: str
    rows: int
    rows_done: int
    rows_skipped: int
    products_new: int
    products_changed: int
    articles_new: int
    articles_changed: int
    staff_id: int
    created_at: datetime
    ended_at: datetime | None
    errors_total: int


async def get_import(import_id: str) -> Import:
    """An import; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_IMPORT} WHERE i.id = $1", import_id)
    if row is None:
        raise NotFound("there is no such import")
    return Import(**dict(row))


async def list_imports() -> list[Import]:
    """The last fifty, newest first."""
    rows = await db.fetch(f"{_IMPORT} ORDER BY created_at DESC, id LIMIT $1", LISTED)
    return [Import(**dict(row)) for row in rows]


async def list_flaws(import_id: str, *, after: tuple[int, str, str] = (0, "", ""), limit: int = 100) -> list[RowFlaw]:
    """What is wrong with its rows, in their order."""
    return [RowFlaw(*row) for row in await db.fetch(_FLAWS, import_id, *after, limit)]


async def flaw_pages(import_id: str) -> AsyncIterator[list[list[str | int]]]:
    """All of it as pages of row, column and message."""
    after = (0, "", "")
    while page := await list_flaws(import_id, after=after, limit=_PAGE):
        yield [[flaw.row, flaw.field, flaw.message] for flaw in page]
        after = (page[-1].row, page[-1].field, page[-1].message)
