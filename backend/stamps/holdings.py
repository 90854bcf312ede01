"""What is held of a member here: cards of campaigns and the stamps on them."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, kept

from . import leaving, merging

COUNTED = "counted in the campaign's figures; no name"


async def _join_cards(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await merging.join_cards(tx, source_id, target_id)


HOLDING = holds(
    Holding(
        name="stamps",
        title="集点卡",
        at_stake=leaving.at_stake,
        give_up=leaving.give_up,
        tables=(
            Table(
                "stamp_given",
                kept(COUNTED),
                Shown(
                    title="得到的印花",
                    columns={"at": "时间", "campaign_id": "活动", "source": "来源", "given": "得到", "taken": "收回"},
                    key=("campaign_id", "source"),
                ),
            ),
            Table(
                "stamp_card",
                kept(COUNTED),
                Shown(
                    title="集点卡",
                    columns={"campaign_id": "活动", "since": "开始", "rewards": "奖励次数", "closed_at": "结束"},
                    key=("campaign_id",),
                ),
            ),
            Table("stamp_due", DELETED, unshown="a stamp about to be given, within a minute"),
        ),
        moves=(
            MovingTable("stamp_given", key=("campaign_id", "source")),
            MovingTable("stamp_due", key=("source", "cause")),
        ),
        joined=("stamp_card",),
        merge=_join_cards,
        carry=merging.carry,
    )
)
