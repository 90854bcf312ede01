"""Count what coupons did on days that are over, so that a statement of many days need not read every sale again.

What was posted stays, but an import may post into days that were counted. The sums of the house accounts tell: a day of
which they have more entries than it was counted from is counted anew.
"""

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

_GREW = f"""
SELECT d.on_date FROM coupon_day_done d JOIN (
    SELECT day, sum(entries) AS entries FROM ledger_rollup
     WHERE zone = $1 AND kind IN ({statements.BOOKED}) GROUP BY day
) AS booked ON booked.day = d.on_date
 WHERE d.zone = $1 AND (booked.entries > d.entries) IS NOT FALSE ORDER BY d.on_date LIMIT $2"""

# The number is taken before the day is read: what an import adds between them makes it too small, and has the day
# counted once more. Of two that count the same day at once the second finds its number there, and leaves the day alone.
_BEGIN = f"""
INSERT INTO coupon_day_done AS d (zone, on_date, at, entries)
SELECT $1, $2, $3, count(*) FROM ledger_entry WHERE at >= $4 AND at < $5 AND kind IN ({statements.BOOKED})
ON CONFLICT (zone, on_date) DO UPDATE SET at = EXCLUDED.at, entries = EXCLUDED.entries
 WHERE (EXCLUDED.entries > d.entries) IS NOT FALSE RETURNING true"""

_EMPTY = "DELETE FROM coupon_day WHERE zone = $1 AND on_date = $2"

_COUNT = f"""
INSERT INTO coupon_day (zone, on_date, what, name, template, unit, store_id, plus, minus)
SELECT $4::text, $5::date, what, name, template, unit, store_id, sum(plus), sum(minus) FROM ({statements.READ}) AS row
 GROUP BY what, name, template, unit, store_id"""


async def count_days(now: datetime) -> int:
    """Count the days since the first coupon that are over and not counted yet, oldest first, then those that grew.

    Returns how many; at most ``AT_ONCE``.

    Each is its own transaction, so a run that is cut short loses one of them.
    """
    zone = settings().timezone
    since = await db.fetchval(_FIRST)
    last = clock.days_after(clock.local_date(now - SETTLED, zone), -1)
    if since is None or last < (first := clock.local_date(since, zone)):
        return 0
    days = (await statements.list_open_days(first, last, zone))[:AT_ONCE]
    days += [row["on_date"] for row in await db.fetch(_GREW, zone, AT_ONCE - len(days))]
    for day in days:
        await _count(day, zone, now)
    if days:
        log.info("coupons.days_counted", count=len(days), last=max(days).isoformat())
    return len(days)


async def _count(day: date, zone: str, now: datetime) -> None:
    begin, end = clock.span(day, day, zone)
    async with db.transaction() as tx:
        if await db.raw(tx).fetchval(_BEGIN, zone, day, now, begin, end):
            await db.raw(tx).execute(_EMPTY, zone, day)
            await db.raw(tx).execute(_COUNT, begin, end, None, zone, day)
