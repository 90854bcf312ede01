"""What is held of a member here: points that were given on, and corrections by staff. The rest is in the books."""

from __future__ import annotations

from backend.members.holding import Holding, Shown, Table, holds, kept, stripped

HOLDING = holds(
    Holding(
        name="points",
        title="积分",
        tables=(
            Table(
                "points_transfer",
                kept("both sides of a transfer stand in the books of two members"),
                Shown(
                    title="积分转赠",
                    columns={"at": "时间", "points": "积分", "state": "状态"},
                    key=("id",),
                ),
                whose="(giver_id = $1 OR receiver_id = $1)",
            ),
            Table(
                "points_batch_row",
                stripped("a line of a correction that two people of the staff decided", note="''"),
                Shown(
                    title="积分批量调整",
                    columns={"batch_id": "批次", "points": "积分", "reason": "原因", "note": "说明", "state": "状态"},
                    key=("batch_id", "row_no"),
                ),
            ),
        ),
    )
)
