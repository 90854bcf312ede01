"""Count what coupons did on days that are over, so that a statement of many days need not read every sale again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.kernel import clock, db, logging
from backend.kernel.config import settings

from .. import statements

log = logging.get(__name__)

SETTLED = timedelta(hours=24)
"""So long after its end a day is counted: whatever was under way at midnight is booked or refused by then."""

AT_ONCE = 800
"""Days that one run counts at most."""

_FIRST = f"SELECT min(at) FROM ledger_entry WHERE kind IN ({statements.BOOKED})"

_BEGIN = "INSERT INTO coupon_day_done (zone, on_date, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true"

_COUNT = f"""
INSERT INTO coupon_day (zone, on_date, what, name, template, unit, store_id, plus, minus)
SELECT $4::text, $5::date, what, name, template, unit, store_id, sum(plus), sum(minus) FROM ({statements.READ}) AS row
 GROUP BY what, name, template, unit, store_id"""


async def count_days(now: datetime) -> int:
    """Count the days since the first coupon that are over and not counted yet, oldest first; returns how many.

    Each is its own transaction, so a run that is cut short loses one of them.
    """
    zone = settings().timezone
    since = await db.fetchval(_FIRST)
    last = clock.days_after(clock.local_date(now - SETTLED, zone), -1)
    if since is None or last < (first := clock.local_date(since, zone)):
        return 0
    days = (await statements.list_open_days(first, last, zone))[:AT_ONCE]
    for day in days:
        await _count(day, zone, now)
    if days:
        log.info("coupons.days_counted", count=len(days), last=days[-1].isoformat())
    return len(days)


async def _count(day: date, zone: str, now: datetime) -> None:
    async with db.transaction() as tx:
        if await db.raw(tx).fetchval(_BEGIN, zone, day, now):
            await db.raw(tx).execute(_COUNT, *statements.bounds(day, day, zone), None, zone, day)
