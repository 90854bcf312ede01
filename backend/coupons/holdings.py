"""What is held of a member here: coupons, and those that changed hands."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, kept, stripped

from . import leaving, merging

COUNTED = "counted against the template's total and settled with whoever bears the cost; no name"


async def _lock_gifts(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await merging.lock_gifts(tx, source_id)


HOLDING = holds(
    Holding(
        name="coupons",
        title="优惠券",
        at_stake=leaving.at_stake,
        give_up=leaving.give_up,
        tables=(
            Table(
                "coupon",
                kept(COUNTED),
                Shown(
                    title="优惠券",
                    columns={
                        "id": "编号",
                        "template_id": "券",
                        "source": "来源",
                        "issued_at": "发放时间",
                        "valid_from": "生效",
                        "expires_on": "到期日",
                        "ended_as": "结果",
                        "ended_at": "结束时间",
                    },
                    key=("id",),
                ),
            ),
            Table(
                "coupon_gift",
                kept(COUNTED),
                Shown(
                    title="转赠的券",
                    columns={
                        "id": "编号",
                        "coupon_id": "券",
                        "given_at": "赠出时间",
                        "ended_as": "结果",
                        "ended_at": "结束时间",
                    },
                    key=("id",),
                ),
            ),
            Table("coupon_due", DELETED, unshown="a coupon about to be issued, within a minute"),
            Table(
                "coupon_code",
                kept("a printed code is good once: who used it is a number"),
                unshown="the coupon that came of it is listed",
                whose="claimed_by = $1",
            ),
            Table(
                "coupon_handout",
                kept("whom staff gave coupons to, as numbers"),
                unshown="the coupons that came of it are listed; it names others too",
                whose="members @> ARRAY[$1]::bigint[]",
            ),
            Table(
                "coupon_change",
                stripped("that staff made a coupon void, and when; not why", detail="detail - 'reason'"),
                unshown="what became of the coupon is listed",
                whose="detail->>'coupon' IN (SELECT id FROM coupon WHERE member_id = $1)",
            ),
        ),
        moves=(MovingTable("coupon_due", key=("template_id", "reason")),),
        joined=("coupon", "coupon_gift"),
        stays=("coupon_code", "coupon_handout", "coupon_change"),
        merge=_lock_gifts,
        carry=merging.carry,
    )
)
