"""From when until when something holds, as staff write it."""

from __future__ import annotations

from datetime import datetime

from . import clock
from .errors import invalid


def check(starts_at: datetime | None, ends_at: datetime | None) -> None:
    """``ValidationFailed`` where a window ends before it begins, or lies outside ``clock.YEARS``.

    None is open on that side. A year that somebody mistyped would be read by everybody who is shown the window, and
    ends of the calendar can be told in no other zone.
    """
    for name, at in (("starts_at", starts_at), ("ends_at", ends_at)):
        if at is not None and at.year not in clock.YEARS:
            raise invalid(f"/{name}", "is out of range")
    if starts_at and ends_at and starts_at >= ends_at:
        raise invalid("/ends_at", "must be after starts_at")
