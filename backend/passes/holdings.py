"""What is held of a member here: service cards and discount cards."""

from __future__ import annotations

from backend.members.holding import Holding, Shown, Table, holds, kept, stripped

from . import leaving, merging

HOLDING = holds(
    Holding(
        name="passes",
        title="服务卡与折扣卡",
        at_stake=leaving.at_stake,
        give_up=leaving.give_up,
        tables=(
            Table(
                "pass_card",
                kept("what was sold and how much of it was used: amounts without a name"),
                Shown(
                    title="服务卡与折扣卡",
                    columns={
                        "id": "编号",
                        "product_id": "卡种",
                        "uses": "次数",
                        "paid_fen": "支付（分）",
                        "issued_at": "购买时间",
                        "expires_on": "到期日",
                        "ended_as": "结果",
                        "ended_at": "结束时间",
                    },
                    key=("id",),
                ),
            ),
            Table(
                "pass_change",
                stripped("that staff gave or ended a card, and when; not why", detail="detail - 'reason'"),
                unshown="what became of the card is listed",
                whose="object_id IN (SELECT id FROM pass_card WHERE member_id = $1)",
            ),
        ),
        joined=("pass_card",),
        stays=("pass_change",),
        obstacles=merging.obstacles,
        carry=merging.carry,
    )
)
