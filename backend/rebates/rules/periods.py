"""Periods of the calendar. No I/O, clock or randomness."""

from __future__ import annotations

from datetime import date, timedelta

from ..types import Period, PeriodKind

_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}
_TITLES = {
    PeriodKind.MONTH: lambda first: f"{first.year}年{first.month}月",
    PeriodKind.QUARTER: lambda first: f"{first.year}年第{first.month // 3 + 1}季度",
    PeriodKind.YEAR: lambda first: f"{first.year}年",
}


def period_of(kind: PeriodKind, on: date) -> Period:
    """The period in which that day lies."""
    months = _MONTHS[kind]
    first = date(on.year, (on.month - 1) // months * months + 1, 1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return Period(kind, first, date(year, month + 1, 1) - timedelta(days=1))


def before(period: Period) -> Period:
    """The period before this one."""
    return period_of(period.kind, period.first - timedelta(days=1))


def after(period: Period) -> Period:
    """The period after this one."""
    return period_of(period.kind, period.last + timedelta(days=1))


def title(period: Period) -> str:
    """As people read it."""
    return _TITLES[period.kind](period.first)


def span(first: date, last: date) -> str:
    """The period of these days, as people read it."""
    return next(
        (title(one) for kind in PeriodKind if (one := period_of(kind, first)).first == first and one.last == last),
        f"{first} 至 {last}",
    )
