"""Tables for spreadsheets, as CSV and XLSX: numbers stay numbers, and no text in them is a formula."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Literal

from .cells import text_cell

if TYPE_CHECKING:
    from openpyxl import Workbook

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

PIECE_BYTES = 1 << 16


async def stream(form: Format, title: str, heading: Sequence[str], pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    """The same piece by piece, from pages of rows as they are read: whatever its length, it takes the memory of a page.

    The first page is read before this returns, so that what fails at once is refused properly. A workbook is put
    together in a temporary file, since its table of contents comes last.
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
    with TemporaryFile() as file:
        book = await asyncio.to_thread(_book, title, heading)
        while page is not None:
            await asyncio.to_thread(_append, book, page)
            page = await anext(pages, None)
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    return (_csv_rows([heading]) + _csv_rows(rows)).encode("utf-8-sig")


def _csv_rows(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _xlsx(title: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    book, out = _book(title, heading), io.BytesIO()
    _append(book, rows)
    book.save(out)
    return out.getvalue()


def _book(title: str, heading: Sequence[str]) -> Workbook:
    import openpyxl  # a tenth of a second: only who asks for a workbook pays for it

    book = openpyxl.Workbook(write_only=True)
    book.create_sheet(title).append(list(heading))
    return book


def _append(book: Workbook, rows: Iterable[Sequence[Cell]]) -> None:
    for row in rows:
        book.worksheets[0].append([_cell(value) for value in row])


def _cell(value: Cell) -> Cell:
    return text_cell(value) if isinstance(value, str) else value
