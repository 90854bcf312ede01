"""What others do that concerns coupons: who is due one, and how one ended."""

from __future__ import annotations

from backend.kernel import clock, events
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger.events import Recharged, SaleCompleted, SaleRefunded
from backend.members.events import LevelReached, MemberRegistered
from backend.privacy import queries as privacy

from .commands import ageing, automatic, rewards, telling
from .events import CouponEnded, CouponExpiring, CouponReturned
from .records import Occurrence


@events.on(MemberRegistered)
async def welcome(event: MemberRegistered, tx: Tx) -> None:
    """A new member is due what is given for registering; one who was here before, and was erased, is not new."""
    if await privacy.was_here(event.member_id, clock.local_date(clock.now(), settings().timezone)):
        return
    await automatic.note_due(tx, event.member_id, Occurrence.REGISTRATION, "")


@events.on(Recharged)
async def reward_recharge(event: Recharged, tx: Tx) -> None:
    """A recharge is due what is given for one of its size."""
    await automatic.note_due(tx, event.member_id, Occurrence.RECHARGE, event.recharge_id, fen=event.pay_fen)


@events.on(SaleCompleted)
async def reward_sale(event: SaleCompleted, tx: Tx) -> None:
    """A sale is due what is given for one of its size; what coupons paid of it does not count."""
    await automatic.note_due(tx, event.member_id, Occurrence.SALE, event.sale_id, fen=event.spent_fen)


@events.on(SaleRefunded)
async def regret(event: SaleRefunded, tx: Tx) -> None:
    """What a sale was given is looked at again."""
    await rewards.note_refund(tx, event.member_id, event.sale_id)


@events.on(LevelReached)
async def congratulate(event: LevelReached, tx: Tx) -> None:
    """A new level is due what is given for it, once for each level."""
    await automatic.note_due(tx, event.member_id, Occurrence.LEVEL, event.level, level=event.level)


@events.on(CouponEnded)
async def note_end(event: CouponEnded, tx: Tx) -> None:
    """Show how it ended."""
    await ageing.note_end(tx, event)


@events.on(CouponReturned)
async def note_return(event: CouponReturned, tx: Tx) -> None:
    """Show it as there again, unless it was the reward of a sale that is not there any more."""
    await ageing.note_return(tx, event)
    await rewards.note_return(tx, event.member_id, event.coupon_id)


@events.on(CouponExpiring)
async def warn(event: CouponExpiring, tx: Tx) -> None:
    """Write to the member that a coupon will expire, if it is still there to be used."""
    await telling.warn(tx, event)
