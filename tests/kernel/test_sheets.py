"""Tables as they go out: what spreadsheets read of them, and that nothing waits for their end."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator

import openpyxl
import pytest

from backend.kernel import sheets, workbook
from backend.kernel.workbook import Workbook

HEADING = ("品名", "件数", "备注")
ROWS: list[list[sheets.Cell]] = [
    ["苹果 <b>&\"'", 3, None],
    ["  两头空  ", -2, "=1+1"],
    ["一行\n两行", 10**11, ""],
    ["不能写\x00的\x0b字\ufffe", 0, "🍎"],
]
READ = [
    ["品名", "件数", "备注"],
    ["苹果 <b>&\"'", 3, None],
    ["  两头空  ", -2, "'=1+1"],
    ["一行\n两行", 10**11, ""],
    ["不能写的字", 0, "🍎"],
]


def read(data: bytes) -> dict[str, list[list[object]]]:
    """Rows by sheet."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [list(row) for row in sheet.values] for sheet in book.worksheets}


def test_a_workbook_says_what_was_written_and_the_same_each_time():
    data = sheets.write("xlsx", "库存", HEADING, ROWS)

    assert read(data) == {"库存": READ}
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert sheets.write("xlsx", "库存", HEADING, ROWS) == data


def test_what_a_sheet_cannot_hold_goes_on_in_another():
    book = Workbook("A&B", ("n",), most_rows=3)
    book.append([[1], [2], [3]])
    book.append([[4], [5]])
    book.close()

    assert read(book.take()) == {
        "A&B": [["n"], [1], [2]],
        "A&B 2": [["n"], [3], [4]],
        "A&B 3": [["n"], [5]],
    }


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_table_is_sent_as_it_is_read(form: sheets.Format):
    """Pages large enough that what makes them small holds none of them back."""
    rows: list[list[sheets.Cell]] = [[hashlib.sha256(b"%d" % number).hexdigest(), number] for number in range(4_000)]
    asked = 0

    async def pages() -> AsyncIterator[sheets.Page]:
        nonlocal asked
        for start in range(0, 4_000, 1_000):
            asked += 1
            yield rows[start : start + 1_000]

    seen, data = [], b""
    async for piece in await sheets.stream(form, "库存", ("a", "b"), pages()):
        seen += [asked] * (len(piece) > 10_000)
        data += piece

    assert seen == [1, 2, 3, 4]
    if form == "csv":
        assert data == sheets.write("csv", "库存", ("a", "b"), rows)
    else:
        assert read(data) == {"库存": [["a", "b"], *rows]}


async def test_a_workbook_that_could_not_be_read_to_its_end_is_none():
    async def pages() -> AsyncIterator[sheets.Page]:
        yield ROWS
        raise TimeoutError

    pieces = await sheets.stream("xlsx", "库存", HEADING, pages())
    data = await anext(pieces)
    with pytest.raises(TimeoutError):
        await anext(pieces)

    assert data.startswith(b"PK")
    with pytest.raises(zipfile.BadZipFile):
        read(data)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_table_of_nothing_has_its_heading(form: sheets.Format):
    async def pages() -> AsyncIterator[sheets.Page]:
        for page in ():
            yield page

    data = b"".join([piece async for piece in await sheets.stream(form, "库存", HEADING, pages())])

    assert data == sheets.write(form, "库存", HEADING, [])


def test_a_workbook_has_as_many_columns_as_spreadsheets_read():
    heading = [f"题 {number}" for number in range(20_000)]

    ((read_heading, row),) = read(sheets.write("xlsx", "答卷", heading, [range(20_000)])).values()

    assert read_heading == heading[: workbook.MOST_COLUMNS]
    assert row == list(range(workbook.MOST_COLUMNS))
