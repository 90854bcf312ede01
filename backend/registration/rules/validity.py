"""The days that a membership is good for, and longer ones: pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from backend.members.types import Validity

LATEST = date(2999, 12, 31)


def extended(validity: Validity, months: int, days: int, today: date) -> Validity:
    """A validity that ends so much later: counted from its last day, or from today where that is over.

    What has no end keeps none. Months keep the day of the month, or take the month's last.
    """
    until = validity.valid_until
    if until is None:
        return validity
    begin = max(until, today)
    return Validity(validity.valid_from, min(LATEST, _later(begin, months, days)))


def _later(on: date, months: int, days: int) -> date:
    place = on.year * 12 + on.month - 1 + months
    year, month = divmod(place, 12)
    if year > LATEST.year:
        return LATEST
    there = date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))
    return there if days > (LATEST - there).days else there + timedelta(days=days)
