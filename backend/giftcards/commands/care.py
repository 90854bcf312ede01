"""What staff do for a card: freeze and thaw it, extend it, give it another PIN, put another in its place."""

from __future__ import annotations

import secrets
from datetime import date, datetime

import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import GIFT_CARD

from .. import locks, numbers, queries, service
from ..errors import GiftCardConflict, GiftCardInvalid
from ..types import CardState, GiftCard

log = logging.get(__name__)

MOST_LOTS = 1000


async def freeze(card_id: str, reason: str, staff_id: int) -> GiftCard:
    """Let the card pay nothing until it is thawed; repeated, it changes nothing."""
    return await _turn(card_id, "freeze", CardState.ACTIVE, CardState.FROZEN, reason, staff_id)


async def thaw(card_id: str, reason: str, staff_id: int) -> GiftCard:
    """Let a frozen card pay again; repeated, it changes nothing."""
    return await _turn(card_id, "thaw", CardState.FROZEN, CardState.ACTIVE, reason, staff_id)


async def _turn(
    card_id: str, action: str, source: CardState, target: CardState, reason: str, staff_id: int
) -> GiftCard:
    found = await queries.get_card(card_id)
    async with db.transaction() as tx:
        card = await locks.lock_card(tx, found.id)
        if card.state is source:
            await db.raw(tx).execute("UPDATE giftcard SET state = $2 WHERE id = $1", card.id, target.value)
            # Where the door sees it, too: no payment goes through while it is frozen.
            await ledger.set_member_status(tx, card.id, active=target is CardState.ACTIVE)
            await queries.changes.note(tx, str(card.id), staff_id, action, {"reason": reason}, clock.now())
        elif card.state is not target:
            raise GiftCardConflict(f"the card is {card.state}")
    log.info("giftcards.turned", card_id=found.id, staff_id=staff_id, action=action)
    return await queries.get_card(card_id)


async def extend(card_id: str, valid_until: date, reason: str, staff_id: int) -> GiftCard:
    """Give a card a later last day; what is on it is never forfeited, and nobody is left less time than they bought."""
    found = await queries.get_card(card_id)
    now = clock.now()
    if valid_until < clock.local_date(now, settings().timezone):
        raise invalid("/valid_until", "is over already")
    async with db.transaction() as tx:
        card = await locks.lock_card(tx, found.id)
        if card.state is CardState.CLOSED:
            raise GiftCardConflict("the card is closed")
        if card.valid_until is None:
            raise GiftCardConflict("the card has no last day")
        if valid_until < card.valid_until:
            raise invalid("/valid_until", f"is before {card.valid_until}, to which the card is good already")
        await db.raw(tx).execute("UPDATE giftcard SET valid_until = $2 WHERE id = $1", card.id, valid_until)
        days: dict[str, object] = {"from": card.valid_until.isoformat(), "to": valid_until.isoformat()}
        await queries.changes.note(tx, str(card.id), staff_id, "extend", days | {"reason": reason}, now)
    return await queries.get_card(card_id)


async def renew_pin(card_id: str, reason: str, staff_id: int) -> str:
    """Give a card another PIN, and unlock its number; the PIN is shown this once."""
    found = await queries.get_card(card_id)
    pin = str(secrets.randbelow(10**numbers.PIN_DIGITS)).zfill(numbers.PIN_DIGITS)
    async with db.transaction() as tx:
        card = await locks.lock_card(tx, found.id)
        if card.state is CardState.CLOSED:
            raise GiftCardConflict("the card is closed")
        (row,) = await db.fetch_in(tx, "SELECT number_digest FROM giftcard WHERE id = $1", card.id)
        digest = row["number_digest"]
        await db.raw(tx).execute(
            "UPDATE giftcard SET pin_digest = $2 WHERE id = $1", card.id, queries.pin_digest(digest, pin)
        )
        await db.raw(tx).execute("DELETE FROM giftcard_try WHERE number_digest = $1", digest)
        await queries.changes.note(tx, str(card.id), staff_id, "pin", {"reason": reason}, clock.now())
    return pin


async def replace(card_id: str, card_no: str, reason: str, staff_id: int) -> GiftCard:
    """Put a card that was not sold yet in the place of a lost one: all that is on it, its member and its last day.

    The lost one is closed for good; what a refund brings back to it goes on to the new one.
    """
    found = await queries.get_card(card_id)
    number = numbers.read_number(card_no)
    fresh = await queries.find_by_number(number) if number is not None else None
    if fresh is None:
        raise GiftCardInvalid
    now = clock.now()
    async with db.transaction() as tx:
        cards = await locks.lock_cards(tx, (found.id, fresh.id))
        lost, new = cards[found.id], cards[fresh.id]
        if lost.state not in (CardState.ACTIVE, CardState.FROZEN):
            raise GiftCardConflict(f"the card is {lost.state}")
        if new.state is not CardState.MADE or new.activations or new.product_id != lost.product_id:
            raise GiftCardConflict("the new card is to be one of the same product that was not sold yet")
        detail: dict[str, object] = {"reason": reason, "by": str(new.id)}
        change_id = await queries.changes.note(tx, str(lost.id), staff_id, "replace", detail, now)
        await queries.changes.note(tx, str(new.id), staff_id, "replaces", {"reason": reason, "of": str(lost.id)}, now)
        await _swap(tx, lost, new)
        await _move_all(tx, lost, new, str(change_id), now)
    log.info("giftcards.replaced", card_id=lost.id, by=new.id, staff_id=staff_id)
    return await queries.get_card(str(new.id))


async def _swap(tx: Tx, lost: GiftCard, new: GiftCard) -> None:
    await ledger.open_member(tx, new.id)
    await db.raw(tx).execute(
        "UPDATE giftcard SET state = 'active', activated_at = $2, valid_until = $3, member_id = $4, bound_at = $5"
        " WHERE id = $1",
        new.id,
        lost.activated_at,
        lost.valid_until,
        lost.member_id,
        lost.bound_at,
    )
    await db.raw(tx).execute("UPDATE giftcard SET state = 'closed', replaced_by = $2 WHERE id = $1", lost.id, new.id)
    await ledger.set_member_status(tx, lost.id, active=False)


async def _move_all(tx: Tx, lost: GiftCard, new: GiftCard, about: str, now: datetime) -> None:
    lots = await ledger_queries.list_open_lots(lost.id, GIFT_CARD, limit=MOST_LOTS)
    left = [(lot.lot_id, lot.remaining) for lot in lots]
    if left:
        on = clock.local_date(now, settings().timezone)
        gone = msgspec.structs.replace(lost, replaced_by=new.id)
        await service.forward(tx, gone, {new.id: new}, left, about=about, at=now, on=on)
