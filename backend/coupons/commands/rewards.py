"""A sale's reward goes with the sale: who brings back what they bought gives back what they got for it, if unused."""

from __future__ import annotations

import msgspec

from backend.kernel import clock, db, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.errors import InsufficientBalance
from backend.members import queries as members
from backend.members import service as member_service
from backend.merging import service as merging

from .. import queries
from ..errors import CouponRefused, CouponUnavailable
from ..records import Occurrence
from ..rules import rewards
from ..rules.rewards import GivenBack, Paid
from . import voiding

log = logging.get(__name__)

JOB = "coupons.take_back_rewards"


async def note_refund(tx: Tx, member_id: int, sale_id: str) -> None:
    """A sale was refunded: a job looks at what it was given, or is still due."""
    member_id = await member_service.hold_current(tx, member_id)
    if await queries.has_rewards(tx, member_id, sale_id):
        await jobs.defer(tx, JOB, member_id=member_id, sale_id=sale_id)


async def note_return(tx: Tx, member_id: int, coupon_id: str) -> None:
    """A refund gave a used coupon back: if it was a sale's reward, that sale may have been refunded before."""
    sale_id = await queries.find_rewarded_sale(tx, member_id, coupon_id)
    if sale_id is not None:
        await jobs.defer(tx, JOB, member_id=member_id, sale_id=sale_id)


async def take_back(member_id: int, sale_id: str) -> int:
    """Take back what a sale was given and does not deserve any more, as far as it is unused; returns how many it were.

    A gift of it that nobody accepted yet is taken back first; what was used or given away stays so. Repeated, it finds
    nothing left to take.
    """
    if (holder_id := await members.current_id(member_id)) != member_id:
        async with db.transaction() as tx:
            await merging.pass_on(tx, member_id)  # a coupon that came back a moment ago
        member_id = holder_id
    sale = (await ledger.find_documents_of([sale_id])).get(sale_id)
    if sale is None:
        return 0
    kept = rewards.kept_fen(msgspec.convert(sale.body, Paid), msgspec.convert(sale.progress, GivenBack))
    given = await queries.list_rewarding(member_id, sale_id)
    lost = [template.id for template in given if not rewards.still_deserved(kept, template.triggers)]
    # What is due goes first: whoever issues it just now is waited for, and seen by the list that follows.
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "DELETE FROM coupon_due WHERE member_id = $1 AND reason = $2 AND template_id = ANY($3)",
            member_id,
            queries.reason_of(Occurrence.SALE, sale_id),
            lost,
        )
    return sum([await _take(member_id, one) for one in await queries.list_rewards(member_id, sale_id, lost)])


async def _take(member_id: int, coupon_id: str) -> bool:
    """Take one coupon back, if anything is left of it."""
    now = clock.now()
    on = clock.local_date(now, settings().timezone)
    for _ in range(voiding.TRIES):
        found = await queries.find_coupon(member_id, coupon_id, on)
        if found is None:
            return False
        try:
            async with db.transaction() as tx:
                await voiding.take_rest(tx, found, now, on)
        except InsufficientBalance:
            continue  # a till was quicker; what is left now is looked at again
        except CouponRefused:
            return False
        log.info("coupons.reward_taken_back", coupon_id=coupon_id, template_id=found.coupon.template_id)
        return True
    raise CouponUnavailable
