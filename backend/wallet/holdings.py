"""What is held of a member here: recharges that were given back. The rest is in the books."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import Holding, Obstacle, Shown, Table, holds, kept, stripped

from . import leaving

_REFUNDS = """
SELECT id FROM wallet_refund WHERE member_id = $1 AND state IN ('asked', 'frozen', 'sent', 'stopping')
 ORDER BY asked_at LIMIT 10"""

STEPS = """(SELECT coalesce(jsonb_agg(s - 'note' ORDER BY n), '[]')
    FROM jsonb_array_elements(steps) WITH ORDINALITY AS one (s, n))"""
"""The steps of a refund without what was said in them."""


async def _under_way(tx: Tx, source_id: int) -> list[Obstacle]:
    """Refunds of recharges that are asked for, or on their way back to the payer."""
    rows = await db.fetch_in(tx, _REFUNDS, source_id)
    found = tuple(row["id"] for row in rows)
    return [Obstacle(code="recharge_refund_under_way", title="有未完成的充值退款", ids=found)] if found else []


HOLDING = holds(
    Holding(
        name="wallet",
        title="储值",
        at_stake=leaving.at_stake,
        give_up=leaving.give_up,
        tables=(
            Table(
                "wallet_refund",
                stripped(
                    "money that went back, and who of the staff decided; tax and bank records",
                    reason="''",
                    steps=STEPS,
                ),
                Shown(
                    title="充值退款",
                    columns={
                        "id": "编号",
                        "asked_at": "时间",
                        "recharge_id": "充值",
                        "state": "状态",
                        "amount_fen": "金额（分）",
                        "bonus_fen": "赠送收回（分）",
                        "reason": "原因",
                    },
                    key=("id",),
                ),
            ),
            Table("wallet_rolled", kept("how far a report has counted"), unshown="how far a report has counted"),
        ),
        stays=("wallet_refund", "wallet_rolled"),
        obstacles=_under_way,
    )
)
