"""A workbook (XLSX) that is sent as it is written: a ZIP of XML parts, whose table of contents comes last.

Nothing of it is gone back to, so it needs neither a file nor the memory of its rows. Texts stand in their cells, and
nothing has a style. Source: ECMA-376 part 1, SpreadsheetML; APPNOTE.TXT of ZIP, data descriptors.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice, product
from string import ascii_uppercase
from typing import IO
from xml.sax.saxutils import escape, quoteattr

Value = str | int | None

MOST_ROWS = 1_048_576
"""Of a sheet, as spreadsheets read it; what is more goes on in another, under the same heading."""

_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MOST_COLUMNS = 16_384
"""Of a sheet, as spreadsheets read it."""

_COLUMNS = tuple(
    islice(
        ("".join(letters) for length in (1, 2, 3) for letters in product(ascii_uppercase, repeat=length)), MOST_COLUMNS
    )
)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML has no way to write."""


class Workbook:
    """One sheet of rows under a heading, further ones where there are too many; ``take`` what is ready of it.

    ``title`` is at most 28 characters, of those that sheets may be called by.
    """

    def __init__(self, title: str, heading: Sequence[str], *, most_rows: int = MOST_ROWS) -> None:
        self._title, self._heading, self._most_rows = title, heading, most_rows
        self._out = _Outgoing()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]
        self._sheets = 0
        self._rows = 0
        self._sheet = self._open()

    def append(self, rows: Iterable[Sequence[Value]]) -> None:
        """Write rows below those that were written."""
        text: list[str] = []
        for row in rows:
            if self._rows == self._most_rows:
                self._write(text)
                self._close()
                self._sheet, text = self._open(), []
            text.append(self._row(row))
        self._write(text)

    def close(self) -> None:
        """Write what comes last; ``take`` the rest of it then."""
        self._close()
        numbers = range(1, self._sheets + 1)
        parts = {
            "xl/workbook.xml": _document(
                "workbook",
                f'xmlns="{_MAIN}" xmlns:r="{_OFFICE}"',
                "<sheets>"
                + "".join(
                    f'<sheet name={quoteattr(self._name(one))} sheetId="{one}" r:id="rId{one}"/>' for one in numbers
                )
                + "</sheets>",
            ),
            "xl/_rels/workbook.xml.rels": _relations(
                (f"rId{one}", "worksheet", f"worksheets/sheet{one}.xml") for one in numbers
            ),
            "_rels/.rels": _relations([("rId1", "officeDocument", "xl/workbook.xml")]),
            "[Content_Types].xml": _document(
                "Types",
                f'xmlns="{_PACKAGE}/content-types"',
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
                + "".join(
                    f'<Override PartName="/xl/worksheets/sheet{one}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
                    for one in numbers
                ),
            ),
        }
        for name, text in parts.items():
            with self._part(name) as part:
                part.write(text.encode())
        self._zip.close()

    def take(self) -> bytes:
        """What was written since this was asked last."""
        return self._out.take()

    def _name(self, number: int) -> str:
        return self._title if number == 1 else f"{self._title} {number}"

    def _part(self, name: str) -> IO[bytes]:
        part = zipfile.ZipInfo(name)  # of 1980: the same rows make the same file
        part.compress_type = zipfile.ZIP_DEFLATED
        opened: IO[bytes] = self._zip.open(part, "w")
        return opened

    def _open(self) -> IO[bytes]:
        self._sheets, self._rows = self._sheets + 1, 0
        sheet = self._part(f"xl/worksheets/sheet{self._sheets}.xml")
        sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{self._row(self._heading)}'.encode())
        return sheet

    def _write(self, rows: list[str]) -> None:
        self._sheet.write("".join(rows).encode())

    def _close(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()

    def _row(self, values: Sequence[Value]) -> str:
        self._rows += 1
        cells = "".join(_cell(f"{column}{self._rows}", value) for column, value in zip(_COLUMNS, values, strict=False))
        return f'<row r="{self._rows}">{cells}</row>'


class _Outgoing:
    """What a ZIP writes to that it cannot go back in: sizes follow what they are of."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _cell(place: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f'<c r="{place}"><v>{value:d}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(_NO_XML.sub("", value))}</t></is></c>'


def _document(root: str, attributes: str, inner: str) -> str:
    return f"{_XML}<{root} {attributes}>{inner}</{root}>"


def _relations(them: Iterable[tuple[str, str, str]]) -> str:
    return _document(
        "Relationships",
        f'xmlns="{_PACKAGE}/relationships"',
        "".join(f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for id_, kind, to in them),
    )
