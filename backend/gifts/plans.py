"""What redeeming and its undoing put into the ledger: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from backend.kernel.events import encode as encode_event
from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger
from backend.ledger.events import StoredReturned
from backend.ledger.plans import Cap, DocumentUpdate, Guard, Issue, Leg, NewDocument, Plan, Saw, job_hash
from backend.ledger.types import Document, Lot

from .events import GiftMoneyMoved
from .rules import day_mark, member_mark
from .types import Gift, GiftKind, Redemption, RedemptionState

DOCUMENT = "gift_redemption"
REDEEM = "gift_redemption"
GIVE_STORED = "gift_stored"
"""The kind of a redemption that gives stored value: reports tell it from what is paid with it."""
BACK = "gift_back"
STORED_BACK = "gift_stored_back"
MOVE = "gift_moved"
PREFIX = "J"
"""Of a redemption's id."""

LIMIT = "gift_limit"
DAY_LIMIT = "gift_day_limit"
_NO_CAP = 10**12
_DAY_KEPT = timedelta(days=3)


class Held(msgspec.Struct, frozen=True):
    """What the plan was priced with: the balance of points, and points owed."""

    points: int
    debt: int


def redeem(
    gift: Gift,
    made: Redemption,
    held: Held,
    idem: Idempotency,
    *,
    caps: tuple[Cap, ...],
    guards: tuple[Guard, ...] = (),
    store_id: str | None,
    due_at: datetime | None,
    on: date,
) -> Plan:
    """Take a gift's price from a member, once per key, and give stored value where the gift is that.

    Its money is earned at ``store_id``: where it is fetched or sent from; None is head office.

    The member's limits are counted inside the door (``LIMIT``, ``DAY_LIMIT``), and ``guards`` with them.
    """
    body = {"gift": gift.id, "version": gift.version, "kind": gift.kind.value, "way": made.way.value}
    body |= {"quantity": made.quantity, "points": made.points, "pay_fen": made.pay_fen}
    return Plan(
        member_id=made.member_id,
        kind=GIVE_STORED if gift.kind is GiftKind.STORED else REDEEM,
        at=made.at,
        on=on,
        scope=ledger.own_scope(made.member_id),
        key=idem.key,
        hash=idem.request_hash.hex(),
        active=True,
        saw=(Saw(ledger.POINTS, held.points), Saw(ledger.POINTS_DEBT, held.debt)),
        guards=(*_limits(gift, made, on), *guards),
        caps=caps if gift.kind is GiftKind.STORED else (),
        document=NewDocument(made.id, DOCUMENT, made.state.value, body, store_id=store_id, due_at=due_at),
        legs=(*_price(made), *_stored(gift, made, on)),
        events=_money_moved(made),
    )


def _money_moved(made: Redemption) -> tuple[dict[str, Any], ...]:
    if not made.pay_fen:
        return ()
    return (encode_event(GiftMoneyMoved(member_id=made.member_id, redemption_id=made.id)),)


def _limits(gift: Gift, made: Redemption, on: date) -> tuple[Guard, ...]:
    pieces, until = made.quantity, made.at + _DAY_KEPT
    return (
        Guard(member_mark(gift.id), "add", pieces, LIMIT, cap=gift.per_member or _NO_CAP),
        Guard(day_mark(gift.id, on), "add", pieces, DAY_LIMIT, cap=gift.per_member_day or _NO_CAP, expires_at=until),
    )


def _price(made: Redemption) -> tuple[Leg, ...]:
    legs = [
        Leg(ledger.POINTS, ledger.POINT, -made.points),
        Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, made.points, ref=made.gift_id),
    ]
    if made.pay_fen:
        legs += [
            Leg(ledger.STORED, ledger.FEN, -made.pay_fen),
            Leg(ledger.HOUSE_GIFT_MONEY, ledger.FEN, made.pay_fen, ref=made.gift_id),
        ]
    return tuple(legs)


def _stored(gift: Gift, made: Redemption, on: date) -> tuple[Leg, ...]:
    if gift.stored_fen is None:
        return ()
    fen = gift.stored_fen * made.quantity
    until = on + timedelta(days=gift.stored_days) if gift.stored_days else None
    lot = Issue("bonus", fen, expires_on=until, source=made.id)
    return (
        Leg(ledger.STORED, ledger.FEN, fen, issue=(lot,)),
        Leg(ledger.HOUSE_GIFT_COST, ledger.FEN, -fen, ref=gift.id),
    )


def move_on(
    document: Document,
    made: Redemption,
    state: RedemptionState,
    *,
    now: datetime,
    on: date,
    progress: dict[str, Any] | None = None,
) -> Plan:
    """Bring a redemption's document to a state in which nothing is due any more; no value moves."""
    return Plan(
        member_id=made.member_id,
        kind=MOVE,
        at=now,
        on=on,
        scope=MOVE,
        key=f"{made.id}:{state.value}",
        hash=job_hash(MOVE, made.id, state.value),
        update=DocumentUpdate(document.id, document.version, state=state.value, progress=progress),
    )


def give_back(
    document: Document,
    made: Redemption,
    moves: Sequence[tuple[Lot, int]],
    state: RedemptionState,
    *,
    reverses: int | None,
    now: datetime,
    on: date,
) -> Plan:
    """Undo a redemption: points and money into the lots they came from, whatever their last days; once.

    What it gave of stored value is taken out of the lot that it made, which must be whole. The member has so many
    less of the gift; the day's count stays.
    """
    legs: list[Leg] = []
    for account, unit, house in (
        (ledger.POINTS, ledger.POINT, ledger.HOUSE_POINTS_REDEEMED),
        (ledger.STORED, ledger.FEN, ledger.HOUSE_GIFT_MONEY),
    ):
        back = tuple((lot.lot_id, -moved) for lot, moved in moves if lot.kind == account and moved < 0)
        if back:
            amount = sum(part for _, part in back)
            legs += [Leg(account, unit, amount, lots=back), Leg(house, unit, -amount, ref=made.gift_id)]
    given = tuple((lot.lot_id, -moved) for lot, moved in moves if lot.kind == ledger.STORED and moved > 0)
    if given:
        fen = -sum(part for _, part in given)
        legs += [
            Leg(ledger.STORED, ledger.FEN, -fen, lots=given),
            Leg(ledger.HOUSE_GIFT_COST, ledger.FEN, fen, ref=made.gift_id),
        ]
    return Plan(
        member_id=made.member_id,
        kind=STORED_BACK if given else BACK,
        at=now,
        on=on,
        scope=BACK,
        key=made.id,
        hash=job_hash(BACK, made.id, state.value),
        reverses=reverses,
        guards=(_less(made),),
        update=DocumentUpdate(document.id, document.version, state=state.value),
        legs=tuple(legs),
        events=(*_money_moved(made), *_bonus_returned(made, moves)),
    )


def _bonus_returned(made: Redemption, moves: Sequence[tuple[Lot, int]]) -> tuple[dict[str, Any], ...]:
    if not any(lot.kind == ledger.STORED and lot.part != "principal" and moved < 0 for lot, moved in moves):
        return ()
    return (encode_event(StoredReturned(member_id=made.member_id, by=made.id)),)


def _less(made: Redemption) -> Guard:
    return Guard(member_mark(made.gift_id), "add", -made.quantity, LIMIT, cap=_NO_CAP)


def count_less(made: Redemption, owner_id: int, *, now: datetime, on: date) -> Plan:
    """Let who the redemption's member was merged into have so many less of the gift: a merge added what they had."""
    return Plan(
        member_id=owner_id,
        kind=MOVE,
        at=now,
        on=on,
        scope=MOVE,
        key=f"{made.id}:count",
        hash=job_hash(MOVE, made.id, "count"),
        guards=(_less(made),),
    )


def put_off(document: Document, *, now: datetime, until: datetime, on: date) -> Plan:
    """Let a document be due later; nothing else of it changes."""
    return Plan(
        member_id=document.member_id,
        kind=MOVE,
        at=now,
        on=on,
        scope=MOVE,
        key=f"{document.id}:later:{document.version}",
        hash=job_hash(MOVE, document.id, document.version),
        update=DocumentUpdate(document.id, document.version, due_at=until),
    )
