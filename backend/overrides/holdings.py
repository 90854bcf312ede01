"""What is held of a member here: what somebody of the staff authorised for them, or with their phone."""

from __future__ import annotations

from backend.members.holding import Holding, MovingTable, Shown, Table, holds, stripped

HOLDING = holds(
    Holding(
        name="overrides",
        title="特价授权",
        tables=(
            Table(
                "override_grant",
                stripped("who let a till give what its cashier may not: amounts, and no name", note="''"),
                Shown(
                    title="特价授权",
                    columns={
                        "at": "时间",
                        "subject": "单据",
                        "store_id": "门店",
                        "fen": "金额（分）",
                        "reason": "原因",
                    },
                    key=("at", "id"),
                    only="member_id = $1",
                ),
                whose="(member_id = $1 OR authoriser_id = $1)",
            ),
        ),
        moves=(MovingTable("override_grant"), MovingTable("override_grant", "authoriser_id")),
    )
)
