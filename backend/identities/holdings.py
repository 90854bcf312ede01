"""What is held of a member here: the number of a document, and tills that asked who they are."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds

from .queries import DOCUMENT_CONTEXT

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
    )
)
