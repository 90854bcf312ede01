"""What is held of a member here: that they were merged, and whom they were taken for."""

from __future__ import annotations

from backend.approvals import queries as approvals
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, Obstacle, Shown, Table, holds, stripped

KIND = "member_merge"
"""Of approvals."""


async def _waiting(tx: Tx, source_id: int) -> list[Obstacle]:
    """What else about the source waits for a second person."""
    found = await approvals.list_waiting_about(tx, source_id, but=KIND, limit=10)
    title = "有等待审批的申请"
    return [Obstacle(code="approval_waiting", title=title, ids=tuple(found))] if found else []


_TWO = "(one_id = $1 OR other_id = $1)"

HOLDING = holds(
    Holding(
        name="merging",
        title="会员合并",
        tables=(
            Table(
                "merging_merge",
                stripped(
                    "which number became part of which, and who decided it: what old documents are read by; no name",
                    reason="''",
                ),
                Shown(title="会员合并", columns={"id": "编号", "at": "时间"}, key=("at", "id")),
                whose="(source_id = $1 OR target_id = $1)",
            ),
            Table(
                "merging_candidate",
                DELETED,
                unshown="that somebody may be the same person",
                whose=_TWO,
            ),
        ),
        stays=("merging_merge", "merging_candidate"),
        obstacles=_waiting,
    )
)
