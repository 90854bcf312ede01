"""The one source of time. Everything else takes ``now`` as an argument or asks here, so tests can move it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_offset = timedelta()
_frozen_at: datetime | None = None


def now() -> datetime:
    """The current instant, timezone-aware UTC."""
    if _frozen_at is not None:
        return _frozen_at
    return datetime.now(UTC) + _offset


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
    global _offset, _frozen_at
    _offset, _frozen_at = timedelta(), None


def end_of_month(on: date, months: int) -> date:
    """The last day of the month that many months after ``on``'s month."""
    month = on.year * 12 + on.month + months
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)


def days_after(on: date, days: int) -> date:
    """The day that many days later."""
    return on + timedelta(days=days)
