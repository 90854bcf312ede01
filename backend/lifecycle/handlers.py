"""Levels and stages follow from purchases: each is written down, grown by, and its member looked at."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import AccrualPosted, SaleCompleted, SaleRefunded
from backend.membercards.events import MemberCardEnded, MemberCardIssued
from backend.members import queries as member_queries
from backend.members import service as members
from backend.members.events import LevelReached, LevelUnlocked, MemberRegistered
from backend.messages import service as messages
from backend.messages.types import Letter

from . import letters, queries, service
from .types import Source


@events.on(SaleCompleted)
async def grow(event: SaleCompleted, tx: Tx) -> None:
    """What was spent is growth, and counts for the level; what coupons paid is not."""
    member_id = await members.hold_current(tx, event.member_id)
    await members.add_growth(tx, member_id, event.sale_id, event.spent_fen)
    await service.note_purchase(tx, member_id, event.sale_id, event.spent_fen)
    await service.look(tx, [member_id])


@events.on(SaleRefunded)
async def shrink(event: SaleRefunded, tx: Tx) -> None:
    """What came back is growth and counts no longer."""
    member_id = await members.hold_current(tx, event.member_id)
    await members.add_growth(tx, member_id, event.refund_id, -event.spent_fen)
    await service.note_return(tx, member_id, event.sale_id, event.refund_id, event.spent_fen)
    await service.look(tx, [member_id])


@events.on(AccrualPosted)
async def count_offline(event: AccrualPosted, tx: Tx) -> None:
    """A purchase that a till took offline counts from when it was made; growth it is none."""
    member_id = await members.hold_current(tx, event.member_id)
    await service.note_purchase(tx, member_id, event.accrual_id, 0)
    await service.look(tx, [member_id])


@events.on(MemberRegistered)
async def begin(event: MemberRegistered, tx: Tx) -> None:
    """A member has a stage from the beginning."""
    await service.look(tx, [event.member_id])


@events.on(LevelReached)
async def congratulate(event: LevelReached, tx: Tx) -> None:
    """Where levels go by growth, a member hears of a new one once for each; rules say more, and say it themselves."""
    if not await queries.has_programme():
        await messages.send(tx, [Letter(event.member_id, letters.GROWN.code, {}, event.level, "#/me")])


@events.on(LevelUnlocked)
async def unlock(event: LevelUnlocked, tx: Tx) -> None:
    """What was held as it was follows the rules again."""
    await service.look(tx, [event.member_id])


@events.on(MemberCardIssued)
async def begin_higher(event: MemberCardIssued, tx: Tx) -> None:
    """Who got a card that gives a level has at least that one, to its last day; what the card before it gave ends."""
    member_id = await members.hold_current(tx, event.member_id)
    if event.level is not None and event.level in await member_queries.levels():
        await service.grant(
            tx,
            member_id,
            event.level,
            source=Source.HAND,
            reason="会员卡",
            until=event.until,
            key=_of_card(event.card_id),
        )
    if event.replaces is not None:
        await service.end_granted(tx, member_id, _of_card(event.replaces), reason="会员卡已更换")


@events.on(MemberCardEnded)
async def end_higher(event: MemberCardEnded, tx: Tx) -> None:
    """Who has the card no more has no level by it."""
    member_id = await members.hold_current(tx, event.member_id)
    await service.end_granted(tx, member_id, _of_card(event.card_id), reason="会员卡已停用")


def _of_card(card_id: int) -> str:
    return f"member-card/{card_id}"
