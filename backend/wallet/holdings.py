"""What is held of a member here: recharges that were given back. The rest is in the books."""

from __future__ import annotations

from backend.members.holding import Holding, Shown, Table, holds, kept, stripped

HOLDING = holds(
    Holding(
        name="wallet",
        title="储值",
        tables=(
            Table(
                "wallet_refund",
                stripped("money that went back, and who of the staff decided; tax and bank records", reason="''"),
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
    )
)
