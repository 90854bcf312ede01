"""What is held of a member here: which announcements they opened."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds

HOLDING = holds(
    Holding(
        name="notices",
        title="公告",
        tables=(
            Table(
                "notice_receipt",
                DELETED,
                Shown(
                    title="读过的公告",
                    columns={"read_at": "时间", "announcement_id": "公告"},
                    key=("announcement_id",),
                ),
            ),
        ),
        moves=(MovingTable("notice_receipt", key=("announcement_id",)),),
    )
)
