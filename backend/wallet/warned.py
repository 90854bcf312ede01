"""Which last days members are to be warned of today: those that are so many days off, and those whose run was missed.

Each warning is kept by what it warns of and how early, so that one setting does not stand in for another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from backend.kernel import db


async def warn_each(what: str, today: date, ahead: int, warn: Callable[[date], Awaitable[int]]) -> int:
    """Warn of the last day that is ``ahead`` days off, and before it of those that no run came to; sum of ``warn``.

    A run that dies begins again with the first day that is not told in full: ``warn`` tells nobody twice.
    """
    through = await db.fetchval("SELECT through FROM wallet_warned WHERE what = $1", what)
    told = 0
    for day in days_to_warn(today, ahead, through):
        told += await warn(day)
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO wallet_warned (what, through) VALUES ($1, $2)"
                " ON CONFLICT (what) DO UPDATE SET through = EXCLUDED.through",
                what,
                day,
            )
    return told


def days_to_warn(today: date, ahead: int, through: date | None) -> list[date]:
    """The last days to warn of: those behind ``through``, from today on, and always the one that is ``ahead`` days off.

    Nothing was told yet: that one alone. The clock was ahead, and ``through`` with it: that one alone, too.
    """
    last = today + timedelta(days=ahead)
    first = last if through is None else min(last, max(today, through + timedelta(days=1)))
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
