"""What is held of a member here: what counted for rebates, and what they were told of it. The value is in the books."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.db import Tx
from backend.members.holding import Holding, MovingTable, Shown, Table, holds, kept

from . import leaving, service

COUNTED = "what a purchase counted for rebates, so that a later return takes back just that; amounts without a name"
STEP = "marks between two jobs; nothing that says more than the purchase"


async def merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """Let the target have the source's statements, marks, and what comes back later."""
    await service.move(tx, source_id, target_id)


HOLDING = holds(
    Holding(
        name="rebates",
        title="返利",
        at_stake=leaving.at_stake,
        give_up=leaving.give_up,
        tables=(
            Table(
                "rebate_purchase",
                kept(COUNTED),
                Shown(
                    title="计入返利的消费",
                    columns={"at": "时间", "sale_id": "单据", "store_id": "门店", "paid": "支付方式（分）"},
                    key=("sale_id",),
                ),
            ),
            Table(
                "rebate_return",
                kept(COUNTED),
                Shown(
                    title="从返利扣回的退款",
                    columns={"at": "时间", "refund_id": "退款", "sale_id": "单据", "lines": "各行（分）"},
                    key=("refund_id",),
                ),
            ),
            Table(
                "rebate_statement",
                kept("what the chain's cost of a period was made of: amounts and numbers of purchases without a name"),
                Shown(
                    title="返利对账单",
                    columns={
                        "id": "编号",
                        "first_on": "开始",
                        "last_on": "结束",
                        "amount_fen": "应返（分）",
                        "corrected_fen": "更正（分）",
                        "brought_fen": "上期结转（分）",
                        "payout_fen": "发放（分）",
                        "carried_fen": "结转下期（分）",
                        "paid_at": "发放时间",
                    },
                    key=("id",),
                    only="run_id IN (SELECT id FROM rebate_run WHERE state IN ('closed', 'paying', 'paid'))",
                ),
                whose="holder_id = $1",
            ),
            Table("rebate_late", kept(STEP), unshown=STEP),
            Table("rebate_moved", kept("whose purchases are whose since a merge"), unshown="numbers of two members"),
            Table("rebate_rolled", kept("how far a report has counted"), unshown="how far a report has counted"),
        ),
        moves=(MovingTable("rebate_purchase"), MovingTable("rebate_return")),
        joined=("rebate_statement", "rebate_late", "rebate_moved"),
        stays=("rebate_rolled",),
        merge=merge,
    )
)
