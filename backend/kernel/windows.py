"""From when until when something holds, as staff write it."""

from __future__ import annotations

from datetime import date, datetime

from . import clock
from .errors import invalid


def check(
    starts_at: datetime | None, ends_at: datetime | None, *, names: tuple[str, str] = ("starts_at", "ends_at")
) -> None:
    """``ValidationFailed`` where a window ends before it begins, or lies outside ``clock.YEARS``.

    None is open on that side. A year that somebody mistyped would be read by everybody who is shown the window, and
    ends of the calendar can be told in no other zone. ``names`` are the two fields of the body.
    """
    for name, at in zip(names, (starts_at, ends_at), strict=True):
        if at is not None and at.year not in clock.YEARS:
            raise invalid(f"/{name}", "is out of range")
    if starts_at and ends_at and starts_at >= ends_at:
        raise invalid(f"/{names[1]}", f"must be after {names[0]}")


def check_days(
    first: date | None, last: date | None, *, most: int, names: tuple[str, str] = ("/query/from", "/query/to")
) -> None:
    """``ValidationFailed`` where days lie outside ``clock.YEARS``, run backwards or are too many.

    ``most`` counts both ends; None is open on that side. ``names`` are where the two were written.
    """
    for name, on in zip(names, (first, last), strict=True):
        if on is not None and not clock.is_told(on):
            raise invalid(name, "is out of range")
    if first and last and last < first:
        raise invalid(names[1], "is before the first day")
    if first and last and (last - first).days >= most:
        raise invalid(names[1], f"at most {most} days at once")


def of_days(first: date, last: date, zone: str, *, most: int) -> tuple[datetime, datetime]:
    """The instants between which the days of a query lie, both included; refused as by ``check_days``."""
    check_days(first, last, most=most)
    return clock.span(first, last, zone)
