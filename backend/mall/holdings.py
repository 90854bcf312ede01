"""What is held of a member here: pictures that they sent."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, kept

HOLDING = holds(
    Holding(
        name="mall",
        title="上传的图片",
        tables=(
            Table(
                "mall_upload",
                DELETED,
                Shown(
                    title="上传的图片",
                    columns={"id": "编号", "at": "时间", "used_for": "用于", "large": "图片"},
                    key=("id",),
                    pictures=("large",),
                ),
            ),
            Table("mall_sold_due", kept("a sale about to be counted, within a minute"), unshown="gone within a minute"),
        ),
        moves=(MovingTable("mall_upload", key=("digest",)),),
        stays=("mall_sold_due",),
    )
)
