"""What a till is paid for a card, and gives back: written on the card, with the plan that books it."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger.plans import Plan
from backend.members import queries as members

from .. import locks, plans, queries, rules
from ..errors import CardConflict, CardDuesChanged, CardInvalid
from ..types import HELD, AtTill, Card, CardState, CardType, DepositState, Dues, Handing, Kept, Way
from .issuing import find_kept, issue
from .states import become

_TAKE = """
UPDATE membercard SET deposit_state = CASE WHEN deposit_state = 'due' THEN 'held' ELSE deposit_state END,
       deposit_store = CASE WHEN deposit_state = 'due' THEN $2 ELSE deposit_store END,
       fee_paid = fee_paid OR fee_fen > 0 WHERE id = $1"""
RETURNABLE = (CardState.ISSUED, CardState.VOID, CardState.EXPIRED)


def standing(card: Card) -> Card:
    """The card as it stands today: that its last day is over is written down some time later."""
    return rules.standing(card, clock.local_date(clock.now(), settings().timezone))


def dues_of(card: Card) -> Dues:
    """What is still to be paid for a card."""
    return rules.dues(card)


async def dues_for(card_type: CardType, member_id: int, held: Card | None) -> Dues:
    """What is to be paid for a card of that type by a member who gives ``held``, as it stands today, up for it."""
    kept = await find_kept(member_id, held)
    terms = rules.terms(card_type, held if held is not None and held.state in HELD else None, kept)
    return Dues(terms.deposit_fen if terms.deposit_state is DepositState.DUE else 0, terms.fee_fen)


def back_of(card: Card) -> int:
    """What is given back for a card that is brought back as it stands."""
    return card.deposit_fen if card.deposit_state is DepositState.HELD and card.state in RETURNABLE else 0


async def give_at_till(
    tx: Tx, member_id: int, card_no: str, by: Handing, *, replacing: bool, agreed_fen: int, at: AtTill
) -> Plan:
    """Give a member, whom the caller holds, a card, and note that all that is to be paid for it was paid.

    Returns the plan that books it. What ``issue`` raises, and ``CardDuesChanged`` for another sum than was agreed.
    """
    before = await queries.find_held_in(tx, member_id)
    card = await locks.lock_card(tx, await issue(tx, member_id, card_no, by, replacing=replacing))
    dues = rules.dues(card)
    if dues.total_fen != agreed_fen:
        raise CardDuesChanged(extra={"due_fen": dues.total_fen})
    if dues.total_fen:
        await db.raw(tx).execute(_TAKE, card.id, at.store_id)
    other = before is not None and before.id != card.id and not before.virtual and standing(before).state in HELD
    replaced = before.id if before is not None and other else None
    return plans.given(member_id, _kept(card), dues, replaced=replaced, at=at)


async def take_back(tx: Tx, member_id: int, card_no: str, by: Handing, *, at: AtTill) -> Plan:
    """Let a card that its member (held) brings back be of no use; the plan that gives its deposit back.

    One that has ended before gives its deposit back too, once. A lost card is found or replaced first. Raises
    ``CardInvalid`` for a card that is not this member's, ``CardConflict`` for one that cannot come back.
    """
    card = await locks.lock_number(tx, card_no) if rules.looks_like_number(card_no) else None
    if card is None or card.member_id is None or await members.current_id_in(tx, card.member_id) != member_id:
        raise CardInvalid
    if standing(card).state is not card.state:
        await become(tx, card, CardState.EXPIRED, Handing(Way.SYSTEM))
        card = standing(card)
    back_fen = back_of(card)
    if card.state is not CardState.ISSUED and not back_fen:
        raise CardConflict(f"the card is {card.state.value}", extra={"state": card.state.value})
    if card.state is CardState.ISSUED:
        await become(tx, card, CardState.VOID, by)
    if back_fen:
        await db.raw(tx).execute("UPDATE membercard SET deposit_state = 'back' WHERE id = $1", card.id)
    return plans.taken_back(member_id, _kept(card), deposit_fen=back_fen, held_by=card.deposit_store, at=at)


def _kept(card: Card) -> Kept:
    return Kept(card.id, card.number, card.type_name)
