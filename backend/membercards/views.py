"""Member cards as they are answered."""

from __future__ import annotations

from . import rules
from .schemas import BatchOut, CardOut, IssuerOut, MoveOut, OwnCard, StepOut, StockOut, TypeOut
from .types import HELD, Batch, Card, CardType, Issuer, Move, Step, Stock


def card_type(one: CardType) -> TypeOut:
    """A type as staff see it."""
    return TypeOut(
        code=one.code,
        name=one.name,
        prefix=one.prefix,
        length=one.length,
        check_digit=one.check_digit,
        level=one.level,
        deposit_fen=one.deposit_fen,
        fee_fen=one.fee_fen,
        validity_months=one.validity_months,
        colour=one.colour,
        self_service=one.self_service,
        automatic=one.automatic,
        active=one.active,
        numbers_left=max(0, rules.most_numbers(one) - one.drawn),
        version=one.version,
        created_at=one.created_at,
    )


def issuer(one: Issuer) -> IssuerOut:
    """An issuer as staff see it."""
    return IssuerOut(
        id=one.id,
        kind=one.kind,
        store_id=one.store_id,
        name=one.name,
        contact=one.contact,
        quota=one.quota,
        taken=one.taken,
        left=one.quota - one.taken,
        active=one.active,
        version=one.version,
        created_at=one.created_at,
    )


def stock(one: Stock) -> StockOut:
    """A line of an issuer's stock."""
    return StockOut(one.type_code, one.state, one.cards)


def batch(one: Batch) -> BatchOut:
    """A batch as staff see it."""
    return BatchOut(
        id=one.id,
        type_code=one.type_code,
        note=one.note,
        total=one.total,
        made=one.made,
        state=one.state,
        created_at=one.created_at,
        exported_at=one.exported_at,
        exported_by=str(one.exported_by) if one.exported_by is not None else None,
    )


def move(one: Move) -> MoveOut:
    """A move as staff see it."""
    return MoveOut(
        id=one.id,
        kind=one.kind,
        batch_id=one.batch_id,
        issuer_id=one.issuer_id,
        from_serial=one.from_serial,
        to_serial=one.to_serial,
        cards=one.to_serial - one.from_serial + 1,
        moved=one.moved,
        skipped=one.skipped,
        state=one.state,
        reason=one.reason,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )


def card(one: Card) -> CardOut:
    """A card as staff see it."""
    return CardOut(
        id=str(one.id),
        number=one.number if one.state in HELD else rules.masked(one.number),
        type_code=one.type_code,
        type_name=one.type_name,
        colour=one.colour,
        state=one.state,
        virtual=one.virtual,
        batch_id=one.batch_id,
        serial=one.serial,
        issuer_id=one.issuer_id,
        member_id=_id(one.member_id),
        bound_at=one.bound_at,
        valid_until=one.valid_until,
        deposit_fen=one.deposit_fen,
        deposit_state=one.deposit_state,
        fee_fen=one.fee_fen,
        fee_paid=one.fee_paid,
        replaced_by=_id(one.replaced_by),
    )


def step(one: Step) -> StepOut:
    """A line of a card's history."""
    return StepOut(
        at=one.at,
        state=one.state,
        way=one.way,
        staff_id=_id(one.staff_id),
        member_id=_id(one.member_id),
        issuer_id=one.issuer_id,
        store_id=one.store_id,
        reason=one.reason,
    )


def own(one: Card) -> OwnCard:
    """A card as its member sees it."""
    assert one.bound_at is not None
    return OwnCard(
        number=one.number,
        type_name=one.type_name,
        colour=one.colour,
        state=one.state,
        virtual=one.virtual,
        bound_at=one.bound_at,
        valid_until=one.valid_until,
    )


def _id(row_id: int | None) -> str | None:
    return str(row_id) if row_id is not None else None
