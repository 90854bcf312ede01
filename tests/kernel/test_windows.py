"""Windows of time as staff write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from backend.kernel import windows
from backend.kernel.errors import ValidationFailed


def at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (None, None),
        ("2000-01-01T00:00:00+00:00", None),
        (None, "2999-12-31T23:59:59-12:00"),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.000001+00:00"),
    ],
)
def test_a_window_of_our_years_is_one(starts_at, ends_at):
    windows.check(at(starts_at), at(ends_at))


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "pointer"),
    [
        ("0001-01-01T00:00:00+14:00", None, "/starts_at"),
        ("1999-12-31T23:59:59+00:00", None, "/starts_at"),
        (None, "3000-01-01T00:00:00+00:00", "/ends_at"),
        (None, "9999-12-31T23:59:59-12:00", "/ends_at"),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "/ends_at"),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T07:00:00+08:00", "/ends_at"),
    ],
)
def test_any_other_is_refused(starts_at, ends_at, pointer):
    with pytest.raises(ValidationFailed) as refused:
        windows.check(at(starts_at), at(ends_at))

    assert [error.pointer for error in refused.value.errors] == [pointer]


def on(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [
        ("1999-12-31", None, "/query/from"),
        ("0001-01-01", "0001-01-01", "/query/from"),
        (None, "9999-12-31", "/query/to"),
        ("2026-03-02", "2026-03-01", "/query/to"),
        ("2026-02-27", "2026-03-01", "/query/to"),
    ],
)
def test_days_that_are_none_or_too_many_are_refused(first, last, pointer):
    with pytest.raises(ValidationFailed) as refused:
        windows.check_days(on(first), on(last), most=2)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_days_are_the_instants_from_the_first_midnight_to_the_one_after_the_last():
    begin, end = windows.of_days(date(2028, 2, 28), date(2028, 2, 29), "Asia/Shanghai", most=2)

    assert (begin, end) == (at("2028-02-27T16:00:00+00:00"), at("2028-02-29T16:00:00+00:00"))
    windows.check_days(None, date(2026, 1, 1), most=1)
    windows.check_days(date(2026, 1, 1), None, most=1)
