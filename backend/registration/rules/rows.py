"""A table of members: which rows are good, and what is wrong with each field of the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

import msgspec

from backend.members.types import Gender

COLUMNS = {
    "phone": "手机号",
    "name": "姓名",
    "birthday": "生日",
    "gender": "性别",
    "store_id": "门店编号",
    "level": "等级代码",
    "card_no": "卡号",
    "joined_on": "入会日期",
    "valid_until": "会员有效期至",
    "points": "积分",
    "points_until": "积分有效期至",
    "principal": "储值本金（元）",
    "bonus": "储值赠送（元）",
    "consents": "已同意的授权",
}
"""Columns by code, with the heading that the template has; a table may use either."""

NEEDED = frozenset({"phone", "name"})
EXAMPLE = (
    *("13800000000", "张三", "1990-05-20", "女", "", "", "", "2021-06-18", "", "1200", "2027-12-31", "500.00", "50.00"),
    "terms privacy",
)
MOST_POINTS = 10_000_000
MOST_FEN = 100_000_000
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
_GENDERS = {
    "": Gender.UNKNOWN,
    "男": Gender.MALE,
    "女": Gender.FEMALE,
    "未知": Gender.UNKNOWN,
    **{gender.value: gender for gender in Gender},
}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 0{1,2}:00(?::00)?)?\Z")
_MONEY = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,2})0*)?\Z")
_BETWEEN = re.compile(r"[\s,，、;；]+")
_CARD = re.compile(r"[0-9A-Za-z]{4,32}\Z")
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Flaw(msgspec.Struct, frozen=True, order=True):
    """What is wrong with a field of a row; rows count from 2, below the heading, as a spreadsheet shows them."""

    row: int
    field: str
    message: str


class Known(msgspec.Struct, frozen=True):
    """What rows are held against: levels, stores and purposes of consents that there are, today, the most stored value.

    ``most_stored_fen`` 0: no bound; ``purposes`` are codes by code and by title.
    """

    levels: Collection[str]
    stores: Collection[str]
    today: date
    most_stored_fen: int = 0
    purposes: Mapping[str, str] = {}


class NewRow(msgspec.Struct, frozen=True):
    """A row that is good by itself; whether somebody has that phone is not known yet."""

    row: int
    phone: str
    name: str
    birthday: date | None = None
    gender: Gender = Gender.UNKNOWN
    store_id: str | None = None
    level: str | None = None
    card_no: str | None = None
    joined_on: date | None = None
    valid_until: date | None = None
    points: int = 0
    points_until: date | None = None
    principal_fen: int = 0
    bonus_fen: int = 0
    consents: tuple[str, ...] = ()


def read_heading(cells: Sequence[str]) -> tuple[list[str], list[Flaw]]:
    """The columns' codes, and what is wrong with them."""
    codes = {title: code for code, title in COLUMNS.items()} | {code: code for code in COLUMNS}
    columns = [codes.get(cell.strip(), "") for cell in cells]
    flaws = [
        Flaw(1, cell.strip()[:40], "is no column of this table")
        for cell, code in zip(cells, columns, strict=True)
        if not code
    ]
    if not any(columns):  # the first row is somebody's, most likely: a report repeats nothing of it
        flaws = [Flaw(1, "", "the table has no heading")]
    flaws += [Flaw(1, code, "is there twice") for code in sorted({c for c in columns if c and columns.count(c) > 1})]
    flaws += [Flaw(1, code, f"is missing ({COLUMNS[code]})") for code in sorted(NEEDED - set(columns))]
    return columns, flaws


def read_row(number: int, columns: Sequence[str], cells: Sequence[str], known: Known) -> NewRow | list[Flaw]:
    """A good row, or everything that is wrong with it."""
    reading = _Reading(number, dict(zip(columns, (cell.strip() for cell in cells), strict=False)))
    if len(cells) > len(columns):
        reading.wrong("", "has more cells than the heading")
    row = NewRow(
        row=number,
        phone=reading.phone(),
        name=reading.name(),
        birthday=reading.day("birthday", date(1900, 1, 1), known.today),
        gender=reading.gender(),
        store_id=reading.among("store_id", known.stores, "there is no such store"),
        level=reading.among("level", known.levels, "there is no such level"),
        card_no=reading.card(),
        joined_on=reading.day("joined_on", EARLIEST, known.today),
        valid_until=reading.day("valid_until", known.today, LATEST),
        points=reading.points(),
        points_until=reading.day("points_until", known.today, LATEST),
        principal_fen=reading.money("principal"),
        bonus_fen=reading.money("bonus"),
        consents=reading.consents(known.purposes),
    )
    if row.points_until is not None and not row.points:
        reading.wrong("points_until", "is for points that there are")
    if known.most_stored_fen and row.principal_fen + row.bonus_fen > known.most_stored_fen:
        reading.wrong("principal", f"with bonus is more than a member may hold ({known.most_stored_fen} fen)")
    return reading.flaws or row


class _Reading:
    """One row while it is read."""

    def __init__(self, number: int, cells: dict[str, str]) -> None:
        self._number, self._cells = number, cells
        self.flaws: list[Flaw] = []

    def wrong(self, field: str, message: str) -> None:
        self.flaws.append(Flaw(self._number, field, message))

    def _of(self, field: str) -> str:
        return self._cells.get(field, "")

    def phone(self) -> str:
        text = re.sub(r"[\s\-()']", "", self._of("phone"))
        digits = text.removeprefix("+")
        if digits.startswith("86") and len(digits) == 13:
            text = digits = digits[2:]
        if not text:
            self.wrong("phone", "is missing")
        elif not (digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 15):
            self.wrong("phone", "is no phone number")
        return text

    def name(self) -> str:
        text = self._of("name")
        if not text:
            self.wrong("name", "is missing")
        elif len(text) > 40:
            self.wrong("name", "has more than 40 characters")
        elif not text.isprintable() or any(char in _BIDI for char in text):
            self.wrong("name", "has characters that do not show")
        return text

    def gender(self) -> Gender:
        found = _GENDERS.get(self._of("gender"))
        if found is None:
            self.wrong("gender", "is none of 男, 女, 未知")
        return found or Gender.UNKNOWN

    def day(self, field: str, first: date, last: date) -> date | None:
        text = self._of(field)
        if not text:
            return None
        match = _DAY.match(text)
        try:
            on = date(*map(int, match.groups())) if match else None
        except ValueError:
            on = None
        if on is None:
            self.wrong(field, "is no day like 2027-12-31")
        elif not first <= on <= last:
            self.wrong(field, f"must lie between {first} and {last}")
        return on

    def among(self, field: str, values: Collection[str], message: str) -> str | None:
        text = self._of(field)
        if text and text not in values:
            self.wrong(field, message)
        return text or None

    def consents(self, purposes: Mapping[str, str]) -> tuple[str, ...]:
        """Purposes by code or title, with blanks or commas between them."""
        named = [name for name in _BETWEEN.split(self._of("consents")) if name]
        if any(name not in purposes for name in named):
            self.wrong("consents", "names a purpose that there is not")  # and not which: cells may have been shifted
        return tuple(dict.fromkeys(purposes[name] for name in named if name in purposes))

    def card(self) -> str | None:
        text = self._of("card_no")
        if text and not _CARD.match(text):
            self.wrong("card_no", "is no card number")
        return text or None

    def points(self) -> int:
        text = self._of("points") or "0"
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= MOST_POINTS):
            self.wrong("points", f"is no whole number from 0 to {MOST_POINTS}")
            return 0
        return int(text)

    def money(self, field: str) -> int:
        match = _MONEY.match(self._of(field).replace(",", "") or "0")
        fen = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
        if match is None or fen > MOST_FEN:
            self.wrong(field, "is no amount in yuan like 500.00")
        return fen
