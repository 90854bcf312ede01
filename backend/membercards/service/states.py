"""What a card becomes: the one place where its state changes, with its history."""

from __future__ import annotations

from backend.kernel import clock, db, events
from backend.kernel.db import Tx
from backend.members import service as members

from .. import locks, rules
from ..errors import CardConflict
from ..events import MemberCardEnded, MemberCardFound, MemberCardLost
from ..types import HELD, Card, CardState, Handing

_BECOME = """
WITH became AS (
    UPDATE membercard SET state = $2::varchar, steps = steps + 1, replaced_by = $3,
           deposit_state = CASE WHEN ($2::varchar, deposit_state) = ('replaced', 'held') THEN 'moved'
                                ELSE deposit_state END
     WHERE id = $1 RETURNING id, steps, member_id, issuer_id
)
INSERT INTO membercard_step (card_id, n, at, state, way, staff_id, store_id, member_id, issuer_id, reason)
SELECT id, steps, $4, $2::varchar, $5, $6, $7, member_id, issuer_id, $8 FROM became RETURNING n"""


async def become(tx: Tx, card: Card, state: CardState, by: Handing, *, replaced_by: int | None = None) -> int:
    """Let a card that the caller holds get into another state, and write it down; ``CardConflict`` where it cannot.

    Returns the number of the step in the card's history.
    """
    if not rules.may_become(card.state, state):
        raise CardConflict(f"the card is {card.state.value}", extra={"state": card.state.value})
    (row,) = await db.fetch_in(
        tx,
        _BECOME,
        card.id,
        state.value,
        replaced_by,
        clock.now(),
        by.way.value,
        by.staff_id,
        by.store_id,
        by.reason,
    )
    if card.member_id is not None and card.state in HELD and state is not CardState.REPLACED:
        await _tell(tx, card, card.member_id, state, by)
    return int(row["n"])


async def _tell(tx: Tx, card: Card, member_id: int, state: CardState, by: Handing) -> None:
    """Note in the log of members' changes what became of a member's card; of a replacement, the new card tells."""
    changes: dict[str, tuple[object, object]] = {"card_state": (card.state.value, state.value)}
    if state not in HELD:
        changes |= {"card_no": (card.number, None), "card_type": (card.type_code, None)}
        await members.set_card_type(tx, member_id, None)
        await events.publish(tx, MemberCardEnded(member_id=member_id, card_id=card.id))
    await members.changed(tx, member_id, by=by.actor(member_id), changes=changes, reason=by.reason or None)


async def report_lost(tx: Tx, card: Card, by: Handing) -> None:
    """Let a card be good nowhere, until it is found or replaced; one that is reported already stays so."""
    if card.state is CardState.LOST:
        return
    step = await become(tx, card, CardState.LOST, by)
    if card.member_id is not None:
        lost = MemberCardLost(member_id=card.member_id, card_id=card.id, last4=card.number[-4:], step=step)
        await events.publish(tx, lost)


async def report_lost_of(tx: Tx, member_id: int, by: Handing) -> Card | None:
    """The same for the card of a member whom the caller holds; None where they have none."""
    card = await locks.lock_held(tx, member_id)
    if card is not None:
        await report_lost(tx, card, by)
    return card


async def report_found(tx: Tx, card: Card, by: Handing) -> None:
    """Let a lost card be good again, which none is that another took the place of."""
    if card.state is CardState.ISSUED:
        return
    if card.state is not CardState.LOST:
        raise CardConflict(f"the card is {card.state.value}", extra={"state": card.state.value})
    step = await become(tx, card, CardState.ISSUED, by)
    if card.member_id is not None:
        found = MemberCardFound(member_id=card.member_id, card_id=card.id, last4=card.number[-4:], step=step)
        await events.publish(tx, found)


async def end(tx: Tx, card: Card, by: Handing) -> None:
    """Take a card out of use for good; its member's place is free."""
    if card.state is not CardState.VOID:
        await become(tx, card, CardState.VOID, by)


def _worth(card: Card) -> tuple[bool, bool]:
    """What decides which of two cards of one person stays: that it is at hand, then that it is plastic."""
    return card.state is CardState.ISSUED, not card.virtual


_HAND_OVER = """
WITH moved AS (
    UPDATE membercard SET member_id = $2, steps = steps + 1 WHERE id = $1 RETURNING id, steps, state, issuer_id
)
INSERT INTO membercard_step (card_id, n, at, state, way, staff_id, store_id, member_id, issuer_id, reason)
SELECT id, steps, $3, state, $4, $5, $6, $2, issuer_id, $7 FROM moved"""


async def hand_over(tx: Tx, source_id: int, target_id: int, by: Handing) -> None:
    """Let a member's card be that of another record of the same person, both held; where that has one too, it ends.

    A virtual card gives way to the plastic that the other record has, a lost one to one that is at hand.
    """
    first, second = sorted((source_id, target_id))
    held = {one: await locks.lock_held(tx, one) for one in (first, second)}
    source, target = held[source_id], held[target_id]
    if source is None:
        return
    if target is not None and _worth(source) > _worth(target):
        await become(tx, target, CardState.VOID, by)
        target = None
    if target is not None:
        await become(tx, source, CardState.VOID, by)
        return
    await db.raw(tx).execute(
        _HAND_OVER, source.id, target_id, clock.now(), by.way.value, by.staff_id, by.store_id, by.reason
    )
    for member_id, before, after in ((source_id, source, None), (target_id, None, source)):
        changes: dict[str, tuple[object, object]] = {
            "card_no": (before.number if before else None, after.number if after else None),
            "card_type": (before.type_code if before else None, after.type_code if after else None),
        }
        await members.set_card_type(tx, member_id, after.type_code if after else None)
        await members.changed(tx, member_id, by=by.actor(member_id), changes=changes)
