"""Tables for spreadsheets, as CSV and XLSX: numbers stay numbers, and no text in them is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

from .cells import text_cell

Cell = str | int | None
Format = Literal["csv", "xlsx"]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(form: Format, title: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table in that form; CSV in UTF-8 with a byte order mark, XLSX as one sheet."""
    return _csv(heading, rows) if form == "csv" else _xlsx(title, heading, rows)


def _csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(title: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    import openpyxl  # a tenth of a second: only who asks for a workbook pays for it

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(heading))
    for row in rows:
        sheet.append([_cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    return text_cell(value) if isinstance(value, str) else value
