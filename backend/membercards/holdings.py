"""What is held of a member here: the cards that were theirs, and what became of each."""

from __future__ import annotations

from datetime import datetime

from backend.kernel.db import Tx
from backend.members.holding import Holding, Shown, Table, holds, kept, stripped

from . import locks, service
from .types import CardState, Handing, Way


async def _end(tx: Tx, member_id: int, at: datetime) -> None:
    """Let the card of somebody who is erased be good nowhere."""
    card = await locks.lock_held(tx, member_id)
    if card is not None:
        await service.become(tx, card, CardState.VOID, Handing(Way.SYSTEM))


async def _merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """Let the target have the source's card, in whose hands it is; where both have one, the source's ends."""
    await service.hand_over(tx, source_id, target_id, Handing(Way.MERGE))


HOLDING = holds(
    Holding(
        name="membercards",
        title="会员卡",
        tables=(
            Table(
                "membercard_step",
                stripped("that a number was in use, from when until when: it is never given out again", reason="''"),
                Shown(
                    title="会员卡变更",
                    columns={"at": "时间", "state": "状态", "way": "方式", "store_id": "门店", "reason": "原因"},
                    key=("card_id", "n"),
                ),
            ),
            Table(
                "membercard",
                kept("a number that was somebody's is never given to anybody else"),
                Shown(
                    title="会员卡",
                    columns={
                        "number": "卡号",
                        "type_code": "类型",
                        "state": "状态",
                        "bound_at": "领卡时间",
                        "valid_until": "有效期至",
                        "deposit_fen": "押金（分）",
                    },
                    key=("id",),
                ),
            ),
        ),
        erase=_end,
        joined=("membercard_step", "membercard"),
        merge=_merge,
    )
)
