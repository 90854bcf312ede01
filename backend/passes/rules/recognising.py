"""When what days earn is booked: once a month, as accounts are closed, and when a pass ends."""

from __future__ import annotations

from datetime import date, timedelta


def next_recognition(on: date) -> date:
    """The first of the next month: then the days up to the end of ``on``'s month are earned."""
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def earned_through(on: date, expires_on: date) -> date:
    """The last day that counts as earned when it is booked on that day: the end of the month before, or of the pass."""
    return min(on.replace(day=1) - timedelta(days=1), expires_on)
