"""What is held of a member here: what they wrote to customer service in WeChat, and what they were answered."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds

OWN = "conversation_id IN (SELECT id FROM conversation WHERE member_id = $1)"

HOLDING = holds(
    Holding(
        name="conversations",
        title="客服对话",
        tables=(
            Table(
                "conversation_picture",
                DELETED,
                Shown(
                    title="对话的图片",
                    columns={"conversation_id": "对话", "seq": "序号", "large": "图片"},
                    key=("conversation_id", "seq"),
                    pictures=("large",),
                ),
                whose=OWN,
            ),
            Table(
                "conversation_message",
                DELETED,
                Shown(
                    title="客服对话",
                    columns={"at": "时间", "author": "谁", "kind": "种类", "text": "内容"},
                    key=("conversation_id", "seq"),
                    only="kind <> 'note'",
                ),
                whose=OWN,
            ),
            Table("conversation", DELETED, unshown="its messages are listed"),
        ),
        moves=(MovingTable("conversation"),),
        joined=("conversation_picture", "conversation_message"),
    )
)
