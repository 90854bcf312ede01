"""What is held of a member here: in which batches they were changed, and what they were warned of."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, Shown, Table, holds, kept

HOLDING = holds(
    Holding(
        name="registration",
        title="注册与有效期",
        tables=(
            Table(
                "registration_batch_row",
                kept("a line of a change that people of the staff decided; without a name"),
                Shown(
                    title="批量变更",
                    columns={"batch_id": "批次", "result": "结果"},
                    key=("batch_id",),
                    only="result IS NOT NULL",
                ),
            ),
            Table("registration_warned", DELETED, unshown="marks against warning twice"),
        ),
    )
)
