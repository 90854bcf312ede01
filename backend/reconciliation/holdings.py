"""What is held of a member here: payments as WeChat's bills have them, and what stores owe each other for them."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import Holding, Shown, Table, holds, kept

BILLS = "payments against the bank's bills: numbers and amounts that an auditor asks for"

# The target spends what the source recharged: the store that was paid for it is known for both.
_SOURCES = """
INSERT INTO clearing_source (member_id, recharge_id, store_id)
SELECT $2, recharge_id, store_id FROM clearing_source WHERE member_id = $1 ON CONFLICT DO NOTHING"""


async def _join(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await db.raw(tx).execute(_SOURCES, source_id, target_id)


HOLDING = holds(
    Holding(
        name="reconciliation",
        title="对账",
        tables=(
            Table(
                "reconciliation_item",
                kept(BILLS),
                Shown(
                    title="微信支付账单",
                    columns={
                        "day": "日期",
                        "kind": "种类",
                        "number": "商户单号",
                        "transaction_id": "微信单号",
                        "theirs_fen": "金额（分）",
                        "theirs_at": "时间",
                    },
                    key=("kind", "number"),
                ),
            ),
            Table("clearing_due", kept("gone within minutes"), unshown="gone within minutes"),
            Table("clearing_line", kept(BILLS), unshown="what stores owe each other for a sale that is listed"),
            Table("clearing_source", kept(BILLS), unshown="at which store a recharge that is listed was made"),
        ),
        joined=("clearing_source",),
        stays=("reconciliation_item", "clearing_due", "clearing_line"),
        merge=_join,
    )
)
