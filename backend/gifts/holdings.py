"""What is held of a member here: what they redeemed points for, and where it was sent."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import AtStake, Holding, Obstacle, Shown, Table, holds, stripped

from .commands import ending
from .service import SEALED

OPEN = "SELECT id FROM gifts_redemption WHERE member_id = $1 AND state IN ('waiting', 'to_send') ORDER BY id"
MOST = 1000
"""Open redemptions of a member; each lies on a shelf."""


async def at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Gifts that wait to be fetched or sent are lost."""
    waiting = await db.fetch_in(tx, f"{OPEN} LIMIT {MOST}", member_id)
    return [AtStake(code="gifts", title="待领取的礼品", amount=len(waiting), unit="pieces")] if waiting else []


async def give_up(tx: Tx, member_id: int, at: datetime) -> None:
    """What has not left yet goes back to its shelf, and its price to the books, which are let go next."""
    for row in await db.fetch_in(tx, f"{OPEN} LIMIT {MOST}", member_id):
        await ending.call_off(tx, member_id, row["id"])


async def obstacles(tx: Tx, member_id: int) -> list[Obstacle]:
    """Gifts that wait to be fetched or sent: only their member's phone shows the code."""
    found = tuple(row["id"] for row in await db.fetch_in(tx, f"{OPEN} LIMIT 10", member_id))
    return [Obstacle(code="gift_under_way", title="有待领取或待寄出的礼品", ids=found)] if found else []


HOLDING = holds(
    Holding(
        name="gifts",
        title="积分兑换",
        tables=(
            Table(
                "gifts_redemption",
                stripped(
                    "what left a shelf for points: the shop's books",
                    sealed="NULL",
                    tracking_no="NULL",
                    note="''",
                ),
                Shown(
                    title="积分兑换",
                    columns={
                        "at": "时间",
                        "title": "礼品",
                        "quantity": "数量",
                        "points": "积分",
                        "pay_fen": "金额（分）",
                        "state": "状态",
                        "store_id": "门店",
                        "carrier": "快递",
                        "tracking_no": "单号",
                        "sealed": "收件人",
                    },
                    key=("at", "id"),
                    sealed={"sealed": SEALED},
                ),
            ),
        ),
        at_stake=at_stake,
        give_up=give_up,
        stays=("gifts_redemption",),
        obstacles=obstacles,
    )
)
