"""What is held of a member here: the cards that were theirs, and what became of each."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members import queries as members
from backend.members.holding import AtStake, Holding, Shown, Table, holds, kept, stripped

from . import locks, service
from .types import CardState, Handing, Way

_HELD = (
    "SELECT coalesce(sum(deposit_fen), 0)::bigint AS fen FROM membercard"
    " WHERE member_id = ANY($1) AND deposit_state = 'held'"
)


async def _at_stake(tx: Tx, member_id: int) -> list[AtStake]:
    """Deposits that nobody brings a card back for any more, also under the numbers of before."""
    (row,) = await db.fetch_in(tx, _HELD, list(await members.ids_of(member_id)))
    return [AtStake(code="member_card_deposit", title="会员卡押金（退卡后取回）", amount=row["fen"], unit="fen")]


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
        at_stake=_at_stake,
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
