"""From when until when something holds, as staff write it."""

from __future__ import annotations

from datetime import datetime

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
