"""What age does to lots: pending points become available, and what was not used in time expires.

Both work member by member, each account in one transfer with its lots named; a run that is cut short is taken up by
the next one, and what moved meanwhile is left to it.
"""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel import clock
from backend.kernel.config import settings
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import Plan
from backend.ledger.queries import Cursor

from .. import plans

MOST_LOTS = 200
"""Of one account in one transfer."""


async def expire_lots(now: datetime, *, batch: int = ledger.SWEPT_AT_ONCE, batches: int = ledger.SWEEPS) -> int:
    """Take back what expired before today: stored bonus, points; returns how many transfers it took.

    Other kinds of lots (coupons, rebate) are left to the domain that knows them.
    """
    on = clock.local_date(now, settings().timezone)

    async def due(after: Cursor, limit: int) -> list[Cursor]:
        return await ledger_queries.list_expired_lots(plans.EXPIRING, on, after=after, limit=limit)

    async def expire(member_id: int) -> int:
        return await _expire_member(member_id, now, on)

    return await ledger.sweep(due, expire, batch=batch, batches=batches)


async def mature_points(now: datetime, *, batch: int = ledger.SWEPT_AT_ONCE, batches: int = ledger.SWEEPS) -> int:
    """Make the pending points available whose day has come; returns how many transfers it took."""
    on = clock.local_date(now, settings().timezone)

    async def due(after: Cursor, limit: int) -> list[Cursor]:
        return await ledger_queries.list_mature_lots(on, after=after, limit=limit)

    async def mature(member_id: int) -> int:
        return await _mature_member(member_id, now, on)

    return await ledger.sweep(due, mature, batch=batch, batches=batches)


async def _expire_member(member_id: int, now: datetime, on: date) -> int:
    done = 0
    for kind in plans.EXPIRING:
        lots = await ledger_queries.list_open_lots(member_id, kind)
        expired = [lot for lot in lots if lot.expires_on is not None and lot.expires_on < on]
        for ref in sorted({lot.ref for lot in expired}):
            named = [lot for lot in expired if lot.ref == ref][:MOST_LOTS]
            posted = await ledger.post(plans.expire(member_id, kind, ref, named, now=now, on=on))
            done += not posted.replayed
    return done


async def _mature_member(member_id: int, now: datetime, on: date) -> int:
    async def plan_again() -> Plan:
        pending = await ledger_queries.list_open_lots(member_id, ledger_plans.POINTS_PENDING)
        mature = [lot for lot in pending if lot.matures_on is not None and lot.matures_on <= on][:MOST_LOTS]
        if not mature:
            raise Stale
        debt = (await ledger_queries.get_balances(member_id)).get(ledger_plans.POINTS_DEBT, 0)
        return plans.mature(member_id, mature, debt=debt, now=now, on=on)

    _, posted = await ledger.post_fresh(plan_again)
    return int(not posted.replayed)
