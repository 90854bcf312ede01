"""What is held of a member here: belonging to an organisation, and agreements with key accounts."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, kept, stripped

from . import leaving, service

SUMS = "sums of an organisation, which decide its level; amounts without a name"

HOLDING = holds(
    Holding(
        name="groups",
        title="团体与大客户",
        at_stake=leaving.at_stake,
        erase=leaving.leave,
        tables=(
            Table(
                "group_purchase",
                kept(SUMS),
                Shown(
                    title="计入团体的消费",
                    columns={"at": "时间", "sale_id": "单据", "group_id": "团体", "spent_fen": "金额（分）"},
                    key=("sale_id",),
                ),
            ),
            Table(
                "group_return",
                kept(SUMS),
                Shown(
                    title="从团体扣回的退款",
                    columns={"refund_id": "退款", "sale_id": "单据", "fen": "金额（分）"},
                    key=("refund_id",),
                ),
            ),
            Table(
                "group_allotment",
                stripped("what an organisation gave its people out of its own: amounts without a name", note="''"),
                Shown(
                    title="团体分配",
                    columns={"at": "时间", "kind": "种类", "amount": "数量", "taken": "收回", "note": "备注"},
                    key=("at", "id"),
                ),
                whose="(principal_id = $1 OR member_id = $1)",
            ),
            Table(
                "group_allot_row",
                stripped("a line of a table that people of the staff decided: amounts without a name", note="''"),
                unshown="the allotments that came of it are listed",
                whose="person_id IN (SELECT id FROM group_member WHERE member_id = $1)",
            ),
            Table("group_invitation", DELETED, unshown="digests of invitations that run out in days"),
            Table(
                "group_member",
                kept("that a number belonged to an organisation, from when until when"),
                Shown(
                    title="所属团体",
                    columns={"group_id": "团体", "role": "角色", "joined_at": "加入", "left_at": "离开"},
                    key=("id",),
                ),
            ),
            Table(
                "key_account",
                DELETED,
                Shown(
                    title="大客户约定",
                    columns={
                        "since": "起始",
                        "discount_bp": "折扣（万分之）",
                        "level_locked": "等级保留",
                        "note": "备注",
                    },
                    key=("member_id",),
                ),
            ),
        ),
        moves=(MovingTable("group_purchase"), MovingTable("group_return"), MovingTable("group_invitation")),
        joined=("group_member", "key_account"),
        stays=("group_allotment", "group_allot_row"),
        merge=service.merge,
        clashes=service.clashes,
    )
)
