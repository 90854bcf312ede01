"""Bonus that comes back to a recharge which was given back: its gift was given up, so it is taken again.

Somebody buys with bonus, has the recharge's principal paid back, then brings the goods back: the sale's refund returns
the bonus to its lot, as every refund does, and as what was held for an order or paid for a gift returns. Where the
recharge's refund kept principal for spent bonus, that bonus is paid for, and stays. What comes back while the refund is
under way waits for its end: WeChat may pay nothing, and then nothing was given up.
"""

from __future__ import annotations

from backend.kernel import clock, db, jobs
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import Plan
from backend.members import queries as members
from backend.merging import service as merging

from .. import refund_plans
from .. import refund_queries as queries
from .refund_books import FORFEIT_JOB

JOB = FORFEIT_JOB


async def wake(tx: Tx, member_id: int, by: str) -> None:
    """Have the worker look, after a sale's refund or whatever else brought value back, if a gift was given up."""
    own_ids = await members.ids_of(await members.current_id_in(tx, member_id))
    if any([await queries.list_forfeited(own_id) for own_id in own_ids]):
        await jobs.defer(tx, JOB, member_id=str(member_id), by=by)


async def forfeit(member_id: int, by: str) -> int:
    """Take the open bonus of recharges that were given back, once for each ``by``; returns how many fen."""
    holder_id = await members.current_id(member_id)
    given_up = {one for own_id in await members.ids_of(holder_id) for one in await queries.list_forfeited(own_id)}
    if holder_id != member_id:
        async with db.transaction() as tx:
            await merging.pass_on(tx, member_id)

    async def plan_again() -> Plan:
        lots = await ledger_queries.list_open_lots(holder_id, ledger_plans.STORED)
        wanted = [lot for lot in lots if lot.part == "bonus" and lot.source in given_up]
        if not wanted:
            raise Stale
        now = clock.now()
        return refund_plans.forfeit(holder_id, wanted, by=by, now=now, on=clock.local_date(now, settings().timezone))

    try:
        plan, posted = await ledger.post_fresh(plan_again)
    except Stale:
        return 0  # nothing of it came back, or another run was here first
    return 0 if posted.replayed else -plan.legs[0].amount
