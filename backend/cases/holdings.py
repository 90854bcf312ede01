"""What is held of a member here: complaints and other feedback, with everything said in them."""

from __future__ import annotations

from backend.members.holding import Holding, MovingTable, Shown, Table, holds, kept, stripped

from .queries.cases import CONTACT_CONTEXT

OWN = "case_id IN (SELECT id FROM feedback_case WHERE member_id = $1)"
FIGURES = "that there was a case, how long it took and how it ended; without its words"

HOLDING = holds(
    Holding(
        name="cases",
        title="反馈",
        tables=(
            Table(
                "feedback_step",
                stripped(FIGURES, text="''", pictures="'[]'", detail="'{}'"),
                Shown(
                    title="反馈的经过",
                    columns={"at": "时间", "case_id": "反馈", "action": "动作", "by": "谁", "text": "内容"},
                    key=("case_id", "version"),
                ),
                whose=OWN,
            ),
            Table("feedback_todo", kept(FIGURES), unshown="staff's own deadlines", whose=OWN),
            Table(
                "feedback_case",
                stripped(
                    FIGURES,
                    contact_sealed="NULL",
                    contact_index="NULL",
                    excerpt="''",
                    reference="''",
                    rating_text="''",
                    compensation="''",
                ),
                Shown(
                    title="反馈",
                    columns={
                        "id": "编号",
                        "created_at": "时间",
                        "kind": "种类",
                        "state": "状态",
                        "store_id": "门店",
                        "excerpt": "内容",
                        "contact_sealed": "联系方式",
                        "outcome": "结果",
                        "rating": "评分",
                        "rating_text": "评语",
                    },
                    key=("id",),
                    sealed={"contact_sealed": CONTACT_CONTEXT},
                ),
            ),
        ),
        moves=(MovingTable("feedback_case"),),
        joined=("feedback_step", "feedback_todo"),
    )
)
