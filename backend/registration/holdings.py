"""What is held of a member here: in which batches they were changed, and what they were warned of."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, Obstacle, Shown, Table, holds, kept, stripped

from .queries.applications import NAME_CONTEXT, lock_pending


async def obstacles(tx: Tx, member_id: int) -> list[Obstacle]:
    """An application that waits: staff decide it first, or a merge would let somebody in whom nobody looked at."""
    ids = tuple(row["id"] for row in await lock_pending(tx, member_id))
    return [Obstacle(code="application", title="注册申请待审核", ids=ids[:10])] if ids else []


async def close(tx: Tx, member_id: int, at: datetime) -> None:
    """Nobody decides about somebody who is gone: what waited is over."""
    await db.raw(tx).execute(
        "UPDATE registration_application SET state = 'rejected', decided_at = $2"
        " WHERE member_id = $1 AND state = 'pending'",
        member_id,
        at,
    )


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
            Table(
                "registration_application",
                stripped(
                    "how somebody became a member, and who decided it",
                    name_sealed="NULL",
                    identity_id="NULL",
                    reason="NULL",
                ),
                Shown(
                    title="注册申请",
                    columns={
                        "applied_at": "申请时间",
                        "channel": "渠道",
                        "state": "结果",
                        "reason": "原因",
                        "name_sealed": "填写的姓名",
                    },
                    key=("id",),
                    sealed={"name_sealed": NAME_CONTEXT},
                ),
            ),
            Table(
                "registration_import_row",
                stripped("a line of an import: its number, and what became of it", sealed="NULL", phone_index="''"),
                unshown="what was imported stands in the profile and in the books; a row's text goes with its import",
            ),
            Table("registration_warned", DELETED, unshown="marks against warning twice"),
        ),
        stays=(
            *("registration_batch_row", "registration_warned", "registration_application"),
            "registration_import_row",
        ),
        erase=close,
        obstacles=obstacles,
    )
)
