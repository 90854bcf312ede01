"""A table of allotments: which rows are good, and what is wrong with each field of the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from backend.kernel.incoming import NotATable

from .types import AllotmentKind

COLUMNS = {"member_no": "会员号", "kind": "种类", "amount": "数量", "note": "备注"}
"""Columns by code, with the heading that the template has; a table may use either."""

NEEDED = ("member_no", "kind", "amount")
EXAMPLES = (("120045671234", "储值", "500.00", "差旅"), ("120045671234", "积分", "200", "奖励"))
MOST_ROWS = 2_000
"""Two of each person of the largest group."""

LONGEST_NOTE = 200
MOST = 10**9
_KINDS = {"储值": AllotmentKind.STORED, "积分": AllotmentKind.POINTS} | {one.value: one for one in AllotmentKind}
_MONEY = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,2})0*)?\Z")
_WHOLE = re.compile(r"[0-9]{1,9}\Z")


class Flaw(msgspec.Struct, frozen=True, order=True):
    """What is wrong with a field of a row; rows count from 2, below the heading, as a spreadsheet shows them."""

    row: int
    field: str
    message: str


class Row(msgspec.Struct, frozen=True):
    """A row that is good by itself; whether the group has such a member is not known yet. Fen or points."""

    row: int
    member_no: str
    kind: AllotmentKind
    amount: int
    note: str


def read(rows: Sequence[Sequence[str]], most: Mapping[AllotmentKind, int]) -> tuple[list[Row], list[Flaw]]:
    """The good rows, and everything that is wrong with the others; ``NotATable`` for another heading.

    ``most``: what may be allotted at once.
    """
    heading = _heading(rows[0] if rows else [])
    good: list[Row] = []
    flaws: list[Flaw] = []
    for number, cells in enumerate(rows[1:], 2):
        if any(cells):
            found = _read_row(number, dict(zip(heading, cells, strict=False)), most)
            if isinstance(found, Row):
                good.append(found)
            else:
                flaws += found
    if not good and not flaws:
        raise NotATable("has no rows below its heading")
    if len(good) + len({flaw.row for flaw in flaws}) > MOST_ROWS:
        raise NotATable(f"has more than {MOST_ROWS} rows; split it")
    copied = _twice(good)
    bad = {flaw.row for flaw in copied}
    return [row for row in good if row.row not in bad], sorted([*flaws, *copied])


def _heading(cells: Sequence[str]) -> list[str]:
    codes = {title: code for code, title in COLUMNS.items()}
    names = [codes.get(cell, cell) for cell in cells]
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in names]
    if unknown or missing or len(set(names)) < len(names):
        wrong = f"has no column {missing[0]}" if missing else f"has a column {unknown[0] if unknown else 'twice'}"
        raise NotATable(f"{wrong}; columns are {', '.join(COLUMNS)}")
    return names


def _read_row(number: int, cells: dict[str, str], most: Mapping[AllotmentKind, int]) -> Row | list[Flaw]:
    flaws: list[Flaw] = []
    member_no, note = cells.get("member_no", ""), cells.get("note", "")
    if not member_no:
        flaws.append(Flaw(number, "member_no", "is missing"))
    kind = _KINDS.get(cells.get("kind", ""))
    amount = _amount(kind, cells.get("amount", "").replace(",", ""))
    if kind is None:
        flaws.append(Flaw(number, "kind", "is none of 储值, 积分"))
    elif amount is None:
        flaws.append(Flaw(number, "amount", "is no amount above 0, in yuan of stored value or whole points"))
    elif amount > most[kind]:
        flaws.append(Flaw(number, "amount", f"is more than may be allotted at once ({most[kind]})"))
    if len(note) > LONGEST_NOTE or not note.isprintable():
        flaws.append(Flaw(number, "note", f"must have at most {LONGEST_NOTE} printable characters"))
    if flaws or kind is None or amount is None:
        return flaws
    return Row(number, member_no, kind, amount, note)


def _amount(kind: AllotmentKind | None, text: str) -> int | None:
    """Fen or points; None for what is neither, or nothing."""
    if kind is AllotmentKind.POINTS:
        return int(text) or None if _WHOLE.match(text) else None
    found = _MONEY.match(text)
    return (int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))) or None if found else None


def _twice(rows: Sequence[Row]) -> list[Flaw]:
    """Rows that say the very same as one above: a line that was copied."""
    seen: dict[tuple[object, ...], int] = {}
    flaws = []
    for row in rows:
        said = (row.member_no, row.kind, row.amount, row.note)
        if said in seen:
            flaws.append(Flaw(row.row, "member_no", f"says the same as row {seen[said]}"))
        else:
            seen[said] = row.row
    return flaws
