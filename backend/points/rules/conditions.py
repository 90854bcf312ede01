"""Whether a rule applies. Days and hours are those of the store."""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime, timedelta

from ..types import Birthday, Condition, EarningLine, Occasion


def holds_on(condition: Condition, occasion: Occasion, payable_fen: int) -> bool:
    """Whether all that a condition says of member, store, time and the whole purchase holds."""
    return (
        payable_fen >= condition.min_fen
        and _within(condition.stores, occasion.store_id)
        and _within(condition.levels, occasion.level)
        and _is_day(condition, occasion.at.date())
        and _is_hour(condition, occasion.at)
        and (condition.birthday is None or is_birthday(occasion.birthday, condition.birthday, occasion.at.date()))
    )


def holds_for(condition: Condition, line: EarningLine) -> bool:
    """Whether all that a condition says of a line holds."""
    return (
        _within(condition.categories, line.category)
        and _within(condition.brands, line.brand)
        and _within(condition.skus, line.sku)
    )


def _within(named: tuple[str, ...], value: str | None) -> bool:
    return not named or value in named


def _is_day(condition: Condition, on: date) -> bool:
    return (
        (condition.first_on is None or on >= condition.first_on)
        and (condition.last_on is None or on <= condition.last_on)
        and (not condition.weekdays or on.isoweekday() in condition.weekdays)
        and (not condition.month_days or on.day in condition.month_days)
        and (not condition.dates or on in condition.dates)
    )


def _is_hour(condition: Condition, at: datetime) -> bool:
    minute = at.hour * 60 + at.minute
    return not condition.hours or any(part.start <= minute < part.end for part in condition.hours)


def is_birthday(born: date | None, part: Birthday, on: date) -> bool:
    """Whether ``on`` is the birthday, or lies in its week or month; nobody's, where the birthday is not known.

    Who was born on 29 February has it on the 28th in a year without that day.
    """
    if born is None:
        return False
    if part is Birthday.MONTH:
        return on.month == born.month
    if part is Birthday.DAY:
        return on == birthday_in(born, on.year)
    monday = on - timedelta(days=on.weekday())
    return any(
        monday <= birthday_in(born, year) <= monday + timedelta(days=6) for year in (on.year - 1, on.year, on.year + 1)
    )


def birthday_in(born: date, year: int) -> date:
    """The birthday of that year."""
    if (born.month, born.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return born.replace(year=year)
