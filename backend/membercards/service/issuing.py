"""Giving a member a card: at the counter, on the phone, at an import; or another in the place of theirs.

The card says who they are and carries nothing, so nothing moves when one takes another's place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from backend.kernel import clock, db, events, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.members import queries as member_queries
from backend.members import service as members

from .. import locks, queries, rules
from ..errors import (
    CardElsewhere,
    CardEnded,
    CardHeld,
    CardInvalid,
    CardIssuerClosed,
    CardQuota,
    CardTaken,
    CardTypeClosed,
)
from ..events import MemberCardIssued
from ..types import OFFICE, UNISSUED, Card, CardState, CardType, DepositState, Handing, IssuerKind, Way
from .states import become

_ISSUE = """
WITH issued AS (
    UPDATE membercard SET state = 'issued', steps = steps + 1, member_id = $2, bound_at = $3, valid_until = $4,
           deposit_fen = $5, deposit_state = $6, deposit_store = $7, fee_fen = $8, issuer_id = coalesce(issuer_id, $9)
     WHERE id = $1
    RETURNING id, steps, issuer_id
)
INSERT INTO membercard_step (card_id, n, at, state, way, staff_id, store_id, member_id, issuer_id, reason)
SELECT id, steps, $3, 'issued', $10, $11, $12, $2, issuer_id, $13 FROM issued"""

_ADOPT = """
WITH made AS (
    INSERT INTO membercard (id, number, type_code, state, member_id, bound_at, valid_until, virtual)
    VALUES ($1, $2, $3, 'issued', $4, $5, $6, $7) ON CONFLICT (number) DO NOTHING RETURNING id
)
INSERT INTO membercard_step (card_id, n, at, state, way, staff_id, store_id, member_id, reason)
SELECT id, 1, $5, 'issued', $8, $9, $10, $4, $11 FROM made RETURNING card_id"""


async def issue(tx: Tx, member_id: int, card_no: str, by: Handing, *, replacing: bool = False) -> int:
    """Give a member, whom the caller holds, the card with that number; its id. The same again changes nothing.

    A virtual card gives way by itself, any other only where it is to be replaced. The deposit that is held for the
    card before, also for one that ended, goes over. An import may bring numbers that were never made here, if they fit
    a type. Raises ``CardInvalid``, ``CardTaken``, ``CardEnded``, ``CardHeld``,
    ``CardElsewhere``, ``CardTypeClosed``, ``CardIssuerClosed`` or ``CardQuota``.
    """
    card_type = rules.type_of(card_no, await queries.types())
    if card_type is None:
        raise CardInvalid
    held, card = await _lock_both(tx, member_id, card_no)
    if held is not None and rules.is_over(held.valid_until, clock.local_date(clock.now(), settings().timezone)):
        await become(tx, held, CardState.EXPIRED, Handing(Way.SYSTEM))
        held, card = None, await locks.lock_number(tx, card_no)
    if card is not None and held is not None and card.id == held.id and held.state is CardState.ISSUED:
        return card.id
    if not card_type.active:  # of no matter to who has the card already: a till takes what is due for it
        raise CardTypeClosed
    if held is not None and not held.virtual and not replacing:
        raise CardHeld(extra={"card_id": str(held.id)})
    if card is None:
        if by.way is not Way.IMPORT:
            raise CardInvalid
        return await _bring(tx, member_id, card_no, card_type, held, by)
    _check_unissued(card)
    _check_hands(card, card_type, by)
    await _count(tx, card)
    kept = await find_kept(member_id, held, tx)
    if held is not None:
        await become(tx, held, CardState.REPLACED, by, replaced_by=card.id)
    if kept is not None:
        await db.raw(tx).execute("UPDATE membercard SET deposit_state = 'moved' WHERE id = $1", kept.id)
    terms = rules.terms(card_type, held, kept)
    await db.raw(tx).execute(
        _ISSUE,
        card.id,
        member_id,
        clock.now(),
        last_day(card_type),
        terms.deposit_fen,
        terms.deposit_state.value,
        terms.deposit_store,
        terms.fee_fen,
        OFFICE,
        by.way.value,
        by.staff_id,
        by.store_id,
        by.reason,
    )
    await announce(tx, member_id, card.id, card_no, card_type, by, before=held)
    return card.id


async def find_kept(member_id: int, held: Card | None, tx: Tx | None = None) -> Card | None:
    """The card whose deposit goes over to the next one of a member who holds that one: it, or the last that ended.

    Nobody can bring back a card that was lost until it ended; its deposit is the member's all the same.
    """
    if held is not None and held.deposit_state is DepositState.HELD:
        return held
    return await queries.find_kept(await member_queries.ids_of(member_id), tx)


async def _lock_both(tx: Tx, member_id: int, card_no: str) -> tuple[Card | None, Card | None]:
    """The card that a member holds, and the one with that number; both locked, in the order of their ids."""
    rows = await db.fetch_in(
        tx,
        "SELECT id FROM membercard WHERE number = $2 OR member_id = $1 AND state IN ('issued', 'lost') ORDER BY id",
        member_id,
        card_no,
    )
    cards = [await locks.lock_card(tx, row["id"]) for row in rows]
    held = _only(card for card in cards if card.member_id == member_id and card.state not in UNISSUED)
    return held if held and held.state in (CardState.ISSUED, CardState.LOST) else None, _only(
        card for card in cards if card.number == card_no
    )


def _only(cards: Iterable[Card]) -> Card | None:
    return next(iter(cards), None)


def _check_unissued(card: Card) -> None:
    if card.state in (CardState.ISSUED, CardState.LOST):
        raise CardTaken
    if card.state not in UNISSUED:
        raise CardEnded


def _check_hands(card: Card, card_type: CardType, by: Handing) -> None:
    """Whether who hands it out has it: a store its own, members what type and issuer let them, an agent's anybody.

    Who brings an agent's card to a counter has it in hand, so any store may write down whose it is.
    """
    if by.office:
        return
    if card.state is CardState.PRINTED:
        raise CardElsewhere
    if by.way is Way.PHONE:
        if not card_type.self_service:
            raise CardElsewhere("this card is given out at the counter")
    elif card.issuer_kind is IssuerKind.STORE and card.issuer_store != by.store_id:
        raise CardElsewhere


async def _count(tx: Tx, card: Card) -> None:
    """Count a card that head office hands out itself against its quota; an issuer's was counted when it got it."""
    if card.state is CardState.PRINTED:
        await take_quota(tx, OFFICE, 1)
        return
    rows = await db.fetch_in(tx, "SELECT active FROM membercard_issuer WHERE id = $1", card.issuer_id)
    if not rows[0]["active"]:
        raise CardIssuerClosed


async def take_quota(tx: Tx, issuer_id: str, cards: int) -> None:
    """Count cards as taken by an issuer; ``CardQuota`` with what is left, ``CardIssuerClosed``. Holds its row."""
    issuer = await locks.lock_issuer(tx, issuer_id)
    if not issuer.active:
        raise CardIssuerClosed
    if issuer.taken + cards > issuer.quota:
        raise CardQuota(extra={"left": issuer.quota - issuer.taken})
    await db.raw(tx).execute("UPDATE membercard_issuer SET taken = taken + $2 WHERE id = $1", issuer_id, cards)


async def free_quota(tx: Tx, issuer_id: str, cards: int) -> None:
    """Count cards as taken no longer."""
    if cards:
        await db.raw(tx).execute("UPDATE membercard_issuer SET taken = taken - $2 WHERE id = $1", issuer_id, cards)


async def _bring(tx: Tx, member_id: int, number: str, card_type: CardType, held: Card | None, by: Handing) -> int:
    """Take over a card that was printed elsewhere."""
    card_id = ids.new_bigint()
    if held is not None:
        await become(tx, held, CardState.REPLACED, by, replaced_by=card_id)
    if not await insert_issued(tx, card_id, member_id, number, card_type, by, virtual=False):
        raise CardTaken  # somebody else was quicker
    await announce(tx, member_id, card_id, number, card_type, by, before=held)
    return card_id


async def insert_issued(
    tx: Tx, card_id: int, member_id: int, number: str, card_type: CardType, by: Handing, *, virtual: bool
) -> bool:
    """Make a card that is its member's from the beginning; False where the number is another card's."""
    made = await db.fetch_in(
        tx,
        _ADOPT,
        card_id,
        number,
        card_type.code,
        member_id,
        clock.now(),
        last_day(card_type),
        virtual,
        by.way.value,
        by.staff_id,
        by.store_id,
        by.reason,
    )
    return bool(made)


def last_day(card_type: CardType) -> date | None:
    """The last day of a card of that type which is issued now."""
    months = card_type.validity_months
    return None if months is None else clock.end_of_month(clock.local_date(clock.now(), settings().timezone), months)


async def announce(
    tx: Tx,
    member_id: int,
    card_id: int,
    number: str,
    card_type: CardType,
    by: Handing,
    *,
    before: Card | None,
    virtual: bool = False,
) -> None:
    """Say that a member has this card now; ``before`` is the one whose place it took."""
    await members.set_card_type(tx, member_id, card_type.code)
    changes: dict[str, tuple[object, object]] = {
        "card_no": (before.number if before else None, number),
        "card_type": (before.type_code if before else None, card_type.code),
        "card_state": (before.state.value if before else None, CardState.ISSUED.value),
    }
    await members.changed(tx, member_id, by=by.actor(member_id), changes=changes, reason=by.reason or None)
    issued = MemberCardIssued(
        member_id=member_id,
        card_id=card_id,
        last4=number[-4:],
        virtual=virtual,
        level=card_type.level,
        until=last_day(card_type),
        replaces=before.id if before else None,
    )
    await events.publish(tx, issued)
