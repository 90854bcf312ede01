"""Tables that come in: CSV and XLSX as rows of texts, within bounds. How they go out: ``kernel.sheets``."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from backend.kernel.cells import text_cell

MOST_BYTES = 8 << 20
MOST_UNPACKED_BYTES = 64 << 20
MOST_PARTS = 200
MOST_ROWS = 20_000
MOST_IMPORT_BYTES = 16 << 20
MOST_IMPORT_ROWS = 100_000
"""What a job reads, row by row; the other bounds are for what is read while somebody waits."""
MOST_COLUMNS = 40
LONGEST_CELL = 2_000


class NotATable(ValueError):
    """What was sent cannot be read as a table, or is too large."""


def read_csv(data: bytes) -> list[list[str]]:
    """The rows of a CSV in UTF-8 or, as spreadsheets in China write it, GB 18030; ``NotATable``."""
    return list(rows_of_csv(data, most=MOST_ROWS))


def rows_of_csv(data: bytes, *, most: int) -> Iterator[list[str]]:
    """The same one after the other, ``most`` of them below the heading; raises as it comes to what is wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise NotATable("is neither UTF-8 nor GB 18030") from error
    try:
        yield from _bounded(csv.reader(io.StringIO(text, newline=""), strict=True), most)
    except csv.Error as error:
        raise NotATable(f"is no CSV: {error}") from error


def read_xlsx(data: bytes) -> list[list[str]]:
    """The rows of a workbook's first sheet, as texts; ``NotATable``."""
    return list(rows_of_xlsx(data, most=MOST_ROWS))


def rows_of_xlsx(data: bytes, *, most: int) -> Iterator[list[str]]:
    """The same one after the other; see ``rows_of_csv``."""
    _check_parts(data)
    import openpyxl  # a tenth of a second: only who reads tables pays for it

    try:
        # Entities in its XML are refused: openpyxl reads through defusedxml.
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            rows = sheet.iter_rows(max_row=most + 2, max_col=MOST_COLUMNS, values_only=True)
            yield from _bounded(([_text(value) for value in row] for row in rows), most)
        finally:
            book.close()
    except NotATable:
        raise
    except Exception as error:  # a broken workbook fails in as many ways as it has parts
        raise NotATable("is no XLSX workbook") from error


def _check_parts(data: bytes) -> None:
    """A workbook is an archive: what it unpacks to is bounded before any of it is. Readers stop at what is declared."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise NotATable("is no XLSX workbook") from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise NotATable("unpacks to more than 64 MiB")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _bounded(rows: Iterable[Sequence[str]], most: int) -> Iterator[list[str]]:
    """The rows, without empty cells and rows at their ends; leading apostrophes of escaped texts are taken off."""
    empty = 0
    for number, row in enumerate(rows):
        cells = [_plain(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise NotATable(f"has more than {MOST_COLUMNS} columns")
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise NotATable(f"has a cell of more than {LONGEST_CELL} characters")
        if any("\0" in cell for cell in cells):
            raise NotATable(f"has a NUL character in row {number + 1}")
        if not cells:
            empty += 1
            if number > most:
                return
            continue
        if number > most:
            raise NotATable(f"has more than {most} rows; split it")
        yield from ([] for _ in range(empty))
        empty = 0
        yield cells


def _plain(cell: str) -> str:
    stripped = cell.strip()
    return stripped[1:] if stripped[:1] == "'" and text_cell(stripped[1:]) == stripped else stripped
