"""A table of adjustments: which rows are good, and what is wrong with each of the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from ..types import AdjustReason

COLUMNS = ("member_no", "points", "reason", "text", "expires_on")
NEEDED = frozenset({"member_no", "points", "reason", "text"})
MOST_ROWS = 100_000
MOST_POINTS = 10_000_000
LONGEST_TEXT = 200


class NotATable(ValueError):
    """What was sent cannot be read as a table, or is too large."""


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with a field of a row; rows count from 2, below the heading, as a spreadsheet shows them."""

    row: int
    field: str
    message: str


class Row(msgspec.Struct, frozen=True):
    """A row that is good by itself; whether there is such a member is not known yet."""

    row: int
    member_no: str
    points: int
    reason: AdjustReason
    text: str
    expires_on: date | None


def read(data: bytes, today: date) -> tuple[list[Row], list[Flaw]]:
    """The good rows of a CSV (UTF-8 or GB 18030), and everything that is wrong with the others; ``NotATable``."""
    rows = _rows(data)
    heading = [cell.strip() for cell in next(rows, [])]
    unknown = [name for name in heading if name not in COLUMNS]
    missing = sorted(NEEDED - set(heading))
    if unknown or missing or len(set(heading)) < len(heading):
        wrong = f"has no column {missing[0]}" if missing else f"has a column {unknown[0] if unknown else 'twice'}"
        raise NotATable(f"{wrong}; columns are {', '.join(COLUMNS)}")
    good: list[Row] = []
    flaws: list[Flaw] = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if number > MOST_ROWS + 1:
            raise NotATable(f"has more than {MOST_ROWS} rows")
        found = _read_row(number, dict(zip(heading, (cell.strip() for cell in cells), strict=False)), today)
        if isinstance(found, Row):
            good.append(found)
        else:
            flaws += found
    if not good and not flaws:
        raise NotATable("has no rows below its heading")
    return good, flaws


def _rows(data: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise NotATable("is neither UTF-8 nor GB 18030")
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise NotATable(f"is no CSV: {error}") from error


def _read_row(number: int, cells: dict[str, str], today: date) -> Row | list[Flaw]:
    flaws: list[Flaw] = []

    def wrong(field: str, message: str) -> None:
        flaws.append(Flaw(number, field, message))

    member_no, text, expires_on = cells.get("member_no", ""), cells.get("text", ""), None
    if not member_no:
        wrong("member_no", "is missing")
    points = _points(cells.get("points", ""))
    if points is None:
        wrong("points", f"is no whole number but 0 from -{MOST_POINTS} to {MOST_POINTS}")
    reason = next((one for one in AdjustReason if one == cells.get("reason", "")), None)
    if reason is None:
        wrong("reason", f"is none of {', '.join(AdjustReason)}")
    if not text or len(text) > LONGEST_TEXT or not text.isprintable():
        wrong("text", f"must have 1 to {LONGEST_TEXT} printable characters")
    if day := cells.get("expires_on", ""):
        try:
            expires_on = date.fromisoformat(day)
        except ValueError:
            wrong("expires_on", "is no day like 2027-12-31")
        else:
            if not today <= expires_on <= date(2999, 12, 31):
                wrong("expires_on", "lies in the past")
            elif points is not None and points < 0:
                wrong("expires_on", "is for points that are given")
    if flaws or points is None or reason is None:
        return flaws
    return Row(number, member_no, points, reason, text, expires_on)


def _points(text: str) -> int | None:
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    value = -int(digits) if text.startswith("-") else int(digits)
    return value if value and abs(value) <= MOST_POINTS else None


def twice(rows: Sequence[Row]) -> list[Flaw]:
    """Rows that say the very same as one above: a line that was copied."""
    seen: dict[tuple[object, ...], int] = {}
    flaws = []
    for row in rows:
        said = (row.member_no, row.points, row.reason, row.text, row.expires_on)
        if said in seen:
            flaws.append(Flaw(row.row, "member_no", f"says the same as row {seen[said]}"))
        else:
            seen[said] = row.row
    return flaws
