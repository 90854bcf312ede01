"""Names, numbers, masks, levels."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.errors import ValidationFailed
from backend.members import rules


@pytest.mark.parametrize(
    ("name", "clean"), [("  王小明 ", "王小明"), ("A", "A"), ("x" * 40, "x" * 40), ("李 雷", "李 雷"), ("e\u0301", "é")]
)
def test_a_name_loses_its_outer_space(name, clean):
    assert rules.clean_name(name) == clean


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x00b", "a\nb", "a\u202eb", "\u2066a", "a\x85b"])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValidationFailed) as refused:
        rules.clean_name(name)

    assert refused.value.errors[0].pointer == "/name"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("13812345678", True), ("+85291234567", True), ("+", False), ("++85291234567", False), ("1e9", False)],
)
def test_numbers_of_other_countries_are_phones_too(text, is_one):
    assert rules.is_phone(text) is is_one


def test_phones_and_names_are_masked():
    assert rules.mask_phone("13812345678") == "138****5678"
    assert rules.mask_phone("123456") == "1****56"
    assert rules.mask_name("王小明") == "王**"
    assert rules.mask_name("王") == "王*"
    assert rules.mask_name("欧阳娜娜") == "欧**"


@given(st.integers(0, 9 * 10**10 - 1))
def test_a_member_number_checks_itself(random):
    number = rules.make_member_no(random)

    assert rules.is_member_no(number)
    assert number[0] != "0"


@given(st.integers(0, 9 * 10**10 - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_misread_digit_is_noticed(random, place, by):
    number = rules.make_member_no(random)
    misread = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]

    assert not rules.is_member_no(misread)


@pytest.mark.parametrize("text", ["", "1", "1234567890123", "12345678901x", "１２３４５６７８９０１２"])
def test_what_is_no_member_number(text):
    assert not rules.is_member_no(text)


def test_a_birthday_lies_between_1900_and_today():
    today = date(2026, 11, 23)
    for day in (None, date(1900, 1, 1), today):
        rules.check_birthday(day, today)

    for day in (date(1899, 12, 31), date(2026, 11, 24)):
        with pytest.raises(ValidationFailed):
            rules.check_birthday(day, today)
