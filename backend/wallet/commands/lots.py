"""What age does to lots: pending points become available, and what was not used in time expires.

Both work member by member, each account in one transfer with its lots named; a run that is cut short is taken up by
the next one, and what moved meanwhile is left to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime

from backend.kernel import clock, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import Plan
from backend.ledger.types import Lot

from .. import plans

log = logging.get(__name__)

BATCH = 500
BATCHES = 400
MOST_LOTS = 200
"""Of one account in one transfer."""

Due = Callable[[date, int], Awaitable[list[tuple[int, Lot]]]]
Work = Callable[[int, datetime, date], Awaitable[int]]


async def expire_lots(now: datetime, *, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Take back what expired before today: stored bonus, points, rebate; returns how many transfers it took."""

    async def due(on: date, limit: int) -> list[tuple[int, Lot]]:
        return await ledger_queries.list_expired_lots(on, limit=limit)

    return await _sweep(due, _expire_member, now, batch=batch, batches=batches)


async def mature_points(now: datetime, *, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Make the pending points available whose day has come; returns how many transfers it took."""

    async def due(on: date, limit: int) -> list[tuple[int, Lot]]:
        return await ledger_queries.list_mature_lots(on, limit=limit)

    return await _sweep(due, _mature_member, now, batch=batch, batches=batches)


async def _sweep(due: Due, work: Work, now: datetime, *, batch: int, batches: int) -> int:
    """Do ``work`` for every member with a lot that is due, until there is none or a round moves nothing."""
    on = clock.local_date(now, settings().timezone)
    moved = 0
    for _ in range(batches):
        found = await due(on, batch)
        done = 0
        for member_id in dict.fromkeys(member_id for member_id, _ in found):
            done += await _alone(work, member_id, now, on)
        moved += done
        if len(found) < batch or not done:
            break
    return moved


async def _alone(work: Work, member_id: int, now: datetime, on: date) -> int:
    """One member's failure is logged and holds nobody else up."""
    try:
        return await work(member_id, now, on)
    except Stale:
        return 0
    except DomainError as error:
        log.error("wallet.lots_not_moved", member_id=member_id, error=error.code)
        return 0


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
