"""The one source of time. Everything else takes ``now`` as an argument or asks here, so tests can move it."""

from __future__ import annotations

import mmap
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

YEARS = range(2000, 3000)
"""Of instants that somebody wrote down; those at the ends of the calendar overflow in one zone or another."""

_offset = timedelta()
_frozen_at: datetime | None = None
_shared: memoryview | None = None
"""One number of a file: the microseconds by which every process that follows it is ahead."""


def now() -> datetime:
    """The current instant, timezone-aware UTC."""
    if _frozen_at is not None:
        return _frozen_at
    if _shared is not None:
        return datetime.now(UTC) + _microseconds(_shared[0])
    return datetime.now(UTC) + _offset


@lru_cache(maxsize=8)
def _microseconds(count: int) -> timedelta:
    return timedelta(microseconds=count)


def unix() -> int:
    """The current instant in whole seconds since 1970."""
    return int(now().timestamp())


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; raises ``ZoneInfoNotFoundError`` for an unknown one."""
    return ZoneInfo(name)


def local_date(at: datetime, zone_name: str) -> date:
    """The calendar day of an instant where the store is; days of expiry and of limits are counted so."""
    return at.astimezone(zone(zone_name)).date()


def shift(by: timedelta) -> None:
    """Tests only: let the clock run on from ``by`` later (or earlier) than the machine's."""
    global _offset, _frozen_at
    _offset, _frozen_at = _offset + by, None


def freeze(at: datetime) -> None:
    """Tests only: stop the clock at ``at`` (timezone-aware)."""
    global _frozen_at
    _frozen_at = at.astimezone(UTC)


def reset() -> None:
    """Tests only: back to the machine's time."""
    global _offset, _frozen_at, _shared
    _offset, _frozen_at, _shared = timedelta(), None, None


def follow(file: Path) -> None:
    """Demo mode only: be ahead of the machine by what the file says from now on, whenever somebody changes it."""
    global _shared
    _shared = _mapped(file)


def move(file: Path, ahead: timedelta) -> None:
    """Say in that file how far ahead of the machine its followers are; the file is made where there is none."""
    if not file.exists():
        file.write_bytes(bytes(8))
    _mapped(file)[0] = ahead // timedelta(microseconds=1)


def _mapped(file: Path) -> memoryview:
    """The file's one number (8 bytes, this machine's order); a store of so many bytes is never seen half done."""
    with file.open("r+b") as opened:
        return memoryview(mmap.mmap(opened.fileno(), 8)).cast("q")


@lru_cache(maxsize=64)
def end_of_month(on: date, months: int) -> date:
    """The last day of the month that many months after ``on``'s month."""
    month = on.year * 12 + on.month + months
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def months_after(on: date, months: int) -> date:
    """The same day of the month so many months later; where that month is shorter, its last one."""
    end = end_of_month(on, months)
    return end.replace(day=min(on.day, end.day))


def is_told(*days: date) -> bool:
    """Whether these days are in ``YEARS``: the calendar's very ends can be told in no other zone."""
    return all(on.year in YEARS for on in days)


def days_after(on: date, days: int) -> date:
    """The day that many days later."""
    return on + timedelta(days=days)


def midnight(on: date, zone_name: str) -> datetime:
    """The instant at which that day begins there."""
    return datetime.combine(on, time(), zone(zone_name))


def span(first: date, last: date, zone_name: str) -> tuple[datetime, datetime]:
    """The instants between which these days lie there, both included: the second is the next day's beginning."""
    return midnight(first, zone_name), midnight(days_after(last, 1), zone_name)
