"""What is held of a member here: care that was planned for them, and what came of it."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, stripped

HOLDING = holds(
    Holding(
        name="care",
        title="关怀",
        tables=(
            Table(
                "care_birthday_gift",
                DELETED,
                Shown(title="生日礼", columns={"year": "年份"}, key=("year",)),
            ),
            Table("care_fact", DELETED, unshown="a reason for care in the coming days"),
            Table(
                "care_task",
                stripped("counted in the effect of a plan; without its words", said="'{}'", note="''"),
                Shown(
                    title="关怀任务",
                    columns={"made_at": "时间", "occasion": "由头", "how": "方式", "state": "状态", "note": "备注"},
                    key=("id",),
                ),
            ),
        ),
        moves=(
            MovingTable("care_birthday_gift", key=("year",)),
            MovingTable("care_fact", key=("kind", "ref")),
            MovingTable("care_task", key=("plan_id", "occasion")),
        ),
    )
)
