"""What is held of a member here: points that were given on, and corrections by staff. The rest is in the books."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import Holding, Shown, Table, holds, kept, stripped

# What the giver's books gave stays theirs to take back; a transfer is taken back out of the lots that it became.
_MOVES = (
    "UPDATE points_transfer SET receiver_id = $2 WHERE receiver_id = $1 AND giver_id <> $2",
    "UPDATE points_batch_row SET member_id = $2 WHERE member_id = $1 AND state = 'waiting'",
)


async def _join(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    for sql in _MOVES:
        await db.raw(tx).execute(sql, source_id, target_id)


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
        joined=("points_transfer", "points_batch_row"),
        merge=_join,
    )
)
