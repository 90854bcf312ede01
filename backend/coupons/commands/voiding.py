"""Staff make one issued coupon void: all that is left of it is taken, and it is written down by whom and why."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.ledger import service as ledger
from backend.ledger.errors import InsufficientBalance

from .. import plans, queries
from ..errors import REFUSALS, CouponUnavailable
from ..events import CouponEnded
from ..plans import PREFIX
from ..queries import Standing
from ..types import CouponState, Reason
from . import gifts
from .ageing import note_end

log = logging.get(__name__)

ACTION = "void_coupon"
"""As a change of the template."""

TRIES = 3


async def void(coupon_id: str, reason: str, staff_id: int) -> Standing:
    """Take all that is left of a coupon; one that is void already stays as it is. Returns how it stands then.

    A gift of it that waits for a friend is taken back first. Raises why there is nothing to take: ``coupon_used``,
    ``coupon_expired``, ``coupon_given``, and ``coupon_locked`` where an order holds it.
    """
    member_id = ids.member_of(coupon_id, PREFIX)
    now = clock.now()
    on = clock.local_date(now, settings().timezone)
    for _ in range(TRIES):
        found = await queries.find_coupon(member_id, coupon_id, on) if member_id else None
        if found is None:
            raise NotFound("there is no such coupon")
        if found.state is CouponState.VOID:
            return found
        try:
            async with db.transaction() as tx:
                amount = await take_rest(tx, found, now, on)
                detail = {"coupon": coupon_id, "amount": amount, "reason": reason}
                await queries.changes.note(tx, found.coupon.template_id, staff_id, ACTION, detail, now)
        except InsufficientBalance:
            continue  # a till was quicker; what is left now is looked at again
        log.info("coupons.voided", coupon_id=coupon_id, template_id=found.coupon.template_id, staff_id=staff_id)
        return await _shown(found, on)
    raise CouponUnavailable


async def take_rest(tx: Tx, found: Standing, now: datetime, on: date) -> int:
    """Take what is left, with what an open gift held; how much that was."""
    coupon = found.coupon
    amount = found.balance + await gifts.take_back_in(tx, coupon.member_id, coupon.id, now, on)
    if not amount or found.state is CouponState.EXPIRED:
        raise REFUSALS[Reason(found.state.value)]
    unit, _ = plans.worth(found.version.terms)
    await ledger.post_in(
        tx, plans.void(coupon, unit, amount, key=ids.new_document_id("X", coupon.member_id), now=now, on=on)
    )
    ended = CouponEnded(member_id=coupon.member_id, coupon_id=coupon.id, state=CouponState.VOID, at=now)
    await note_end(tx, ended)
    return amount


async def _shown(found: Standing, on: date) -> Standing:
    after = await queries.find_coupon(found.coupon.member_id, found.coupon.id, on)
    return after or found
