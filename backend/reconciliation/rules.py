"""What is wrong with an item, when a bill is asked for, and what flows add up to. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone

import msgspec

from .types import Balance, Flow, Side, What

BEIJING = timezone(timedelta(hours=8))
READY = time(10, 30)
"""When yesterday's bill is asked for: WeChat makes it from ten on. Source: pay.weixin.qq.com, 申请交易账单."""

MOST_BACK_DAYS = 90
"""WeChat keeps bills for three months."""

FIRST_BACK_DAYS = 7
"""How far back a chain begins whose bills were never taken."""

RETRY_FIRST_S, RETRY_MOST_S = 600, 6 * 3600


def day_of(at: datetime) -> date:
    """The day of WeChat's bills that an instant lies in."""
    return at.astimezone(BEIJING).date()


def begins(day: date) -> datetime:
    """When a day of WeChat's bills begins."""
    return datetime.combine(day, time(), BEIJING)


def bill_due(day: date) -> datetime:
    """From when on the bill of a day can be had."""
    return datetime.combine(day + timedelta(days=1), READY, BEIJING)


def retry_at(tries: int, now: datetime) -> datetime:
    """When a bill that did not come is asked for again: after ten minutes, then ever later, six hours at most."""
    return now + timedelta(seconds=min(RETRY_FIRST_S * 2 ** min(tries, 10), RETRY_MOST_S))


def days_to_want(missing: date | None, last: date) -> list[date]:
    """The days up to ``last`` whose bills are to be asked for: from ``missing``, the first that was not, on."""
    first = max(missing or last - timedelta(days=FIRST_BACK_DAYS), last - timedelta(days=MOST_BACK_DAYS))
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


class Covered(msgspec.Struct, frozen=True):
    """Days whose bills are there, without a gap."""

    first: date
    last: date


def must_be_there(ours_at: datetime, done_at: datetime | None, covered: Covered | None) -> bool:
    """Whether a bill must have what we booked then and know to be done since then.

    Both clocks may differ by a moment, so the bill of the day after must be there, too.
    """
    if done_at is None or covered is None:
        return False
    return covered.first <= day_of(ours_at) and day_of(done_at) + timedelta(days=1) <= covered.last


def judge(theirs: Side | None, ours: Side | None, *, must_be_there: bool) -> What | None:
    """What is wrong between the two sides of an item, or None."""
    if theirs is None:
        return What.ONLY_HERE if ours is not None and must_be_there else None
    if ours is None:
        return What.ONLY_THERE
    if theirs.fen != ours.fen:
        return What.AMOUNT
    if None not in (theirs.transaction_id, ours.transaction_id) and theirs.transaction_id != ours.transaction_id:
        return What.TRANSACTION
    return What.REFUND_FAILED if theirs.failed else None


def balances(flows: Iterable[Flow], *, with_bonus: bool) -> list[Balance]:
    """What each store gets and pays for value that was recharged at one store and spent at another.

    A store owes nobody what its own value bought at its own tills. Bonus counts where the chain has it borne by the
    store that gave it.
    """
    gets: dict[str | None, int] = defaultdict(int)
    pays: dict[str | None, int] = defaultdict(int)
    for flow in flows:
        fen = flow.principal_fen + (flow.bonus_fen if with_bonus else 0)
        if flow.from_store == flow.to_store or not fen:
            continue
        # What came back of purchases before these days can outweigh what was spent: then it is owed the other way.
        giver, taker = (flow.from_store, flow.to_store) if fen > 0 else (flow.to_store, flow.from_store)
        pays[giver] += abs(fen)
        gets[taker] += abs(fen)
    stores = sorted(gets.keys() | pays.keys(), key=lambda store: (store is None, store or ""))
    return [Balance(store, gets[store], pays[store]) for store in stores]
