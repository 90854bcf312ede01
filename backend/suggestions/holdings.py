"""What is held of a member here: suggestions under their own name. Whose the anonymous ones are, nobody knows."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, stripped

OWN = "suggestion_id IN (SELECT id FROM suggestion WHERE member_id = $1)"
ANSWERED = "that a suggestion was made and answered, for the box's figures; without its words"

HOLDING = holds(
    Holding(
        name="suggestions",
        title="意见箱",
        tables=(
            Table(
                "suggestion_picture",
                DELETED,
                Shown(
                    title="意见的图片",
                    columns={"id": "编号", "suggestion_id": "意见", "large": "图片"},
                    key=("id",),
                    pictures=("large",),
                ),
                whose=OWN,
            ),
            Table(
                "suggestion_message",
                stripped(ANSWERED, text="'（会员已注销）'", pictures="'[]'"),
                Shown(
                    title="意见与回复",
                    columns={"day": "日期", "suggestion_id": "意见", "author": "谁", "text": "内容"},
                    key=("suggestion_id", "seq"),
                ),
                whose=OWN,
            ),
            Table(
                "suggestion",
                stripped(ANSWERED, rating_text="''"),
                Shown(
                    title="意见",
                    columns={
                        "id": "编号",
                        "day": "日期",
                        "box_id": "意见箱",
                        "state": "状态",
                        "rating": "评分",
                        "rating_text": "评语",
                    },
                    key=("id",),
                ),
            ),
            Table("suggestion_issued", DELETED, unshown="tickets of a week, which tie nobody to a suggestion"),
        ),
        moves=(MovingTable("suggestion"), MovingTable("suggestion_issued", key=("key_id", "digest"))),
        joined=("suggestion_picture", "suggestion_message"),
    )
)
