"""A member who leaves gives coupons up."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.members.holding import AtStake

from . import plans
from .commands import gifts
from .commands.ageing import note_end
from .events import CouponEnded
from .types import CouponState


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Coupons that are left, those that are being given to somebody too; one that an order holds stands in the way."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT count(*) FILTER (WHERE kind = 'coupon') AS left, count(*) FILTER (WHERE kind = 'coupon_held') AS held,"
        " (SELECT count(*) FROM coupon_gift WHERE member_id = $1 AND ended_as IS NULL) AS given"
        " FROM ledger_account WHERE member_id = $1 AND kind IN ('coupon', 'coupon_held') AND balance > 0",
        member_id,
    )
    return [
        AtStake(code="coupons", title="优惠券", amount=row["left"] + row["given"], unit="pieces"),
        AtStake(code="coupons_held", title="订单占用的优惠券", amount=row["held"], unit="pieces", blocks=True),
    ]


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """Make all of them void; what is being given is taken back first."""
    on = clock.local_date(at, settings().timezone)
    for row in await db.fetch_in(
        tx, "SELECT coupon_id FROM coupon_gift WHERE member_id = $1 AND ended_as IS NULL ORDER BY id", member_id
    ):
        await gifts.take_back_in(tx, member_id, row["coupon_id"], at, on)
    rows = await db.fetch_in(
        tx,
        "SELECT c.id, c.template_id, a.unit, a.balance, l.lot_id, l.expires_on FROM ledger_account a"
        " JOIN coupon c ON c.member_id = a.member_id AND c.id = a.ref"
        " JOIN ledger_lot l ON l.member_id = a.member_id AND l.kind = a.kind AND l.ref = a.ref AND l.open"
        " WHERE a.member_id = $1 AND a.kind = 'coupon' AND a.balance > 0 ORDER BY c.id",
        member_id,
    )
    for row in rows:
        key = ids.new_document_id("X", member_id)
        plan = plans.give_up(
            member_id, row["id"], row["template_id"], row["unit"], row["balance"], row["lot_id"], key=key, now=at, on=on
        )
        await ledger.post_in(tx, plan)
        await note_end(tx, CouponEnded(member_id=member_id, coupon_id=row["id"], state=CouponState.VOID, at=at))
