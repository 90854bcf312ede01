"""Tables for spreadsheets, as CSV and XLSX: numbers stay numbers, and no text in them is a formula."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Literal

from .cells import text_cell
from .workbook import Workbook

Cell = str | int | None
Format = Literal["csv", "xlsx"]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(form: Format, title: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table in that form; CSV in UTF-8 with a byte order mark, XLSX as one sheet."""
    return _csv(heading, rows) if form == "csv" else _xlsx(title, heading, rows)


Page = Sequence[Sequence[Cell]]


async def stream(form: Format, title: str, heading: Sequence[str], pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    """The same piece by piece, from pages of rows as they are read: whatever its length, it takes the memory of a page.

    The first page is read before this returns, so that what fails at once is refused properly. What fails later cuts
    it off; of a workbook the table of contents is missing then, so that nobody takes it for whole.
    """
    first = await anext(pages, None)
    return _pieces(form, title, heading, first, pages)


async def _pieces(
    form: Format, title: str, heading: Sequence[str], first: Page | None, pages: AsyncIterator[Page]
) -> AsyncGenerator[bytes]:
    page: Page | None = first or ()
    if form == "csv":
        yield _csv(heading, page or ())
        while page is not None and (page := await anext(pages, None)) is not None:
            yield (await asyncio.to_thread(_csv_rows, page)).encode()
        return
    book = Workbook(title, heading)
    while page is not None:
        await asyncio.to_thread(_append, book, page)
        if piece := book.take():
            yield piece
        page = await anext(pages, None)
    book.close()
    yield book.take()


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    return (_csv_rows([heading]) + _csv_rows(rows)).encode("utf-8-sig")


def _csv_rows(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _xlsx(title: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    book = Workbook(title, heading)
    _append(book, rows)
    book.close()
    return book.take()


def _append(book: Workbook, rows: Iterable[Sequence[Cell]]) -> None:
    book.append([_cell(value) for value in row] for row in rows)


def _cell(value: Cell) -> Cell:
    return text_cell(value) if isinstance(value, str) else value
