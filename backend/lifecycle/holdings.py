"""What is held of a member here: how levels were reached and lost, and what counted for them."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, Shown, Table, holds, kept, stripped

from . import service

COUNTED = "what a sale counted for a level, so that a later return takes back just that; amounts without a name"


async def _merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await service.merge(tx, source_id, target_id)


HOLDING = holds(
    Holding(
        name="lifecycle",
        title="等级",
        tables=(
            Table(
                "lifecycle_purchase",
                kept(COUNTED),
                Shown(
                    title="计入等级的消费",
                    columns={"at": "时间", "sale_id": "单据", "spent_fen": "金额（分）", "points": "积分"},
                    key=("sale_id",),
                ),
            ),
            Table(
                "lifecycle_return",
                kept(COUNTED),
                Shown(
                    title="从等级扣回的退款",
                    columns={
                        "at": "时间",
                        "refund_id": "退款",
                        "sale_id": "单据",
                        "fen": "金额（分）",
                        "points": "积分",
                    },
                    key=("refund_id",),
                ),
            ),
            Table(
                "lifecycle_change",
                stripped("the history of a number's level: days and codes, without staff's notes", note="NULL"),
                Shown(
                    title="等级变更",
                    columns={"at": "时间", "level": "等级", "why": "原因", "until": "有效至", "note": "备注"},
                    key=("seq",),
                ),
            ),
            Table(
                "lifecycle_grant",
                stripped("that a level was given, by whom of the staff", reason="'—'"),
                Shown(
                    title="授予的等级",
                    columns={"at": "时间", "level": "等级", "source": "来源", "reason": "原因", "until": "有效至"},
                    key=("id",),
                ),
            ),
            Table(
                "lifecycle_standing",
                DELETED,
                Shown(title="等级进度", columns={"standing": "进度", "until": "有效至"}, key=("member_id",)),
            ),
        ),
        joined=("lifecycle_purchase", "lifecycle_return", "lifecycle_grant", "lifecycle_standing"),
        stays=("lifecycle_change",),
        merge=_merge,
    )
)
