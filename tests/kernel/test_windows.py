"""Windows of time as staff write them."""

from __future__ import annotations

from datetime import datetime

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
