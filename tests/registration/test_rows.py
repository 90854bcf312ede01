"""Rows of a table of members: what is read, and what is said of every field that cannot be."""

from __future__ import annotations

import re
from datetime import date

import pytest

from backend.members.types import Gender
from backend.registration.rules import words
from backend.registration.rules.rows import COLUMNS, EXAMPLE, Flaw, Known, NewRow, read_heading, read_row

KNOWN = Known(
    levels={"basic", "gold"},
    stores={"S1"},
    today=date(2026, 11, 28),
    most_stored_fen=500_000,
    purposes={"terms": "terms", "会员服务协议": "terms", "privacy": "privacy"},
)
ALL = list(COLUMNS)


def read(**cells):
    return read_row(7, list(cells), list(cells.values()), KNOWN)


def test_the_template_reads_as_it_stands():
    columns, flaws = read_heading(list(COLUMNS.values()))

    row = read_row(2, columns, list(EXAMPLE), KNOWN)

    assert (columns, flaws) == (ALL, [])
    assert row == NewRow(
        row=2,
        phone="13800000000",
        name="张三",
        birthday=date(1990, 5, 20),
        gender=Gender.FEMALE,
        joined_on=date(2021, 6, 18),
        points=1_200,
        points_until=date(2027, 12, 31),
        principal_fen=50_000,
        bonus_fen=5_000,
        consents=("terms", "privacy"),
    )


def test_what_spreadsheets_write_is_read():
    row = read(phone="+86 138-0013-8000", name="李四", birthday="1990/5/2", principal="1,234.5", points="")
    other = read(phone="8613800138000", name="=1+1", birthday="1990-05-02 00:00:00")

    assert isinstance(row, NewRow)
    assert isinstance(other, NewRow)
    assert (row.phone, row.birthday, row.principal_fen, row.points) == ("13800138000", date(1990, 5, 2), 123_450, 0)
    assert (other.phone, other.name, other.birthday) == ("13800138000", "=1+1", date(1990, 5, 2))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", ""),
        ("phone", "12345"),
        ("phone", "1380013800x"),
        ("name", ""),
        ("name", "x" * 41),
        ("name", "a\u202eb"),
        ("birthday", "1990-13-01"),
        ("birthday", "1899-12-31"),
        ("birthday", "2026-11-29"),
        ("gender", "x"),
        ("store_id", "S2"),
        ("level", "platin"),
        ("card_no", "a b"),
        ("valid_until", "2026-11-27"),
        ("joined_on", "2026-11-29"),
        ("joined_on", "1999-12-31"),
        ("points", "-1"),
        ("points", "1.5"),
        ("points", "10000001"),
        ("points_until", "2027-01-01"),
        ("principal", "1.234"),
        ("principal", "-1"),
        ("principal", "5000.01"),
        ("bonus", "1e3"),
        ("consents", "terms 张三13800138000"),
    ],
)
def test_what_cannot_be_is_named_by_row_and_field(field, value):
    wrong = read(**{"phone": "13800138000", "name": "x"} | {field: value})

    assert isinstance(wrong, list)
    assert [(flaw.row, flaw.field) for flaw in wrong] == [(7, field)]
    assert words.text(wrong[0]) != wrong[0].message
    assert "13800138000" not in wrong[0].message
    assert not re.search("[a-z]{3}", words.text(wrong[0]))


def test_a_heading_says_what_is_there_once():
    assert read_heading(["phone", "姓名", "x", "points", "积分"])[1] == [
        Flaw(1, "x", "is no column of this table"),
        Flaw(1, "points", "is there twice"),
    ]
    assert read_heading(["name"])[1] == [Flaw(1, "phone", "is missing (手机号)")]


def test_a_first_row_that_is_somebody_is_not_repeated():
    flaws = read_heading(["13800138000", "张三"])[1]

    assert flaws[0] == Flaw(1, "", "the table has no heading")
    assert {flaw.field for flaw in flaws} == {"", "phone", "name"}
    assert not re.search("[a-z]{3}", words.text(flaws[0]))
