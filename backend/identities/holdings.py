"""What is held of a member here: the number of a document, and tills that asked who they are."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds

from .queries import DOCUMENT_CONTEXT


async def _merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """The target keeps its own document; without one it gets the source's."""
    await db.raw(tx).execute(
        "UPDATE identity_document SET member_id = $2 WHERE member_id = $1"
        " AND NOT EXISTS (SELECT FROM identity_document WHERE member_id = $2)",
        source_id,
        target_id,
    )
    await db.raw(tx).execute("DELETE FROM identity_document WHERE member_id = $1", source_id)


HOLDING = holds(
    Holding(
        name="identities",
        title="证件与身份确认",
        tables=(
            Table(
                "identity_request",
                DELETED,
                Shown(
                    title="收银台身份确认",
                    columns={"at": "时间", "store_id": "门店", "way": "方式", "state": "结果"},
                    key=("at", "id"),
                ),
            ),
            Table(
                "identity_document",
                DELETED,
                Shown(
                    title="证件",
                    columns={"number_sealed": "证件号", "set_at": "登记时间"},
                    key=("member_id",),
                    sealed={"number_sealed": DOCUMENT_CONTEXT},
                ),
            ),
        ),
        moves=(MovingTable("identity_request"),),
        joined=("identity_document",),
        merge=_merge,
    )
)
