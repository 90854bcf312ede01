"""What a till must hold: whole fen, no reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from .types import (
    CASH,
    COMES,
    DRAWER,
    CashierFigures,
    EntryKind,
    Figures,
    KindFigures,
    Movement,
    MovementKind,
    Outside,
    Sum,
    TenderFigures,
)

NOBODY = ""
"""The cashier of what named none, before the shift's own takes its place."""


def figures(
    sums: Iterable[Sum], movements: Sequence[Movement], *, float_fen: int, cashier: str, outside: Sequence[Outside] = ()
) -> Figures:
    """What a shift's entries and movements come to, before anybody counted.

    Args:
        cashier: whose shift it is: what names no cashier is theirs.
        outside: what the till took from people who are no members.
    """
    found = list(sums)
    came, went = _by_tender(found, outside)
    pay_in = sum(one.amount_fen for one in movements if one.kind is MovementKind.PAY_IN)
    pay_out = sum(one.amount_fen for one in movements if one.kind is MovementKind.PAY_OUT)
    drawer = {CASH: float_fen + pay_in - pay_out}
    tenders = [
        TenderFigures(
            tender=tender,
            in_fen=came.get(tender, 0),
            out_fen=went.get(tender, 0),
            expected_fen=drawer.get(tender, 0) + came.get(tender, 0) - went.get(tender, 0)
            if tender in DRAWER
            else None,
        )
        for tender in [*DRAWER, *sorted((came.keys() | went.keys()) - set(DRAWER))]
    ]
    return Figures(
        sales=_of(found, EntryKind.SALE),
        discount_fen=sum(one.discount_fen for one in found),
        refunds=_of(found, EntryKind.REFUND),
        recharges=_of(found, EntryKind.RECHARGE),
        recharge_bonus_fen=sum(one.bonus_fen for one in found if one.kind is EntryKind.RECHARGE),
        recharge_reversals=_of(found, EntryKind.RECHARGE_REVERSAL),
        gift_cards=_of(found, EntryKind.GIFT_CARD),
        gift_cards_undone=_of(found, EntryKind.GIFT_CARD_UNDONE),
        gifts=_of(found, EntryKind.GIFT),
        member_cards=_of(found, EntryKind.MEMBER_CARD),
        member_cards_back=_of(found, EntryKind.MEMBER_CARD_BACK),
        others=_of(found, EntryKind.OTHER),
        outside=tuple(outside),
        float_fen=float_fen,
        pay_in_fen=pay_in,
        pay_out_fen=pay_out,
        tenders=tuple(tenders),
        cashiers=_cashiers(found, cashier),
    )


def counted(before: Figures, counts: Mapping[str, int]) -> Figures:
    """The same once it was counted: over or short of each tender that the till holds; what was not counted is none.

    A tender that nobody names and of which nothing is expected needs no count.
    """
    tenders = []
    for one in before.tenders:
        if one.expected_fen is None:
            tenders.append(one)
            continue
        fen = counts.get(one.tender, 0)
        difference = fen - one.expected_fen
        tenders.append(msgspec.structs.replace(one, counted_fen=fen, difference_fen=difference))
    total = sum(one.difference_fen or 0 for one in tenders)
    return msgspec.structs.replace(before, tenders=tuple(tenders), difference_fen=total)


def expected_cash(found: Figures) -> int:
    """What must be in the drawer."""
    return next(one.expected_fen or 0 for one in found.tenders if one.tender == CASH)


def gross_difference(found: Figures) -> int:
    """How far off the till is, whichever way: what is over of one tender does not make up for another's lack."""
    return sum(abs(one.difference_fen or 0) for one in found.tenders)


def _of(sums: Sequence[Sum], kind: EntryKind) -> KindFigures:
    return KindFigures(
        sum(one.count for one in sums if one.kind is kind), sum(one.fen for one in sums if one.kind is kind)
    )


def _by_tender(sums: Sequence[Sum], outside: Sequence[Outside]) -> tuple[dict[str, int], dict[str, int]]:
    came: dict[str, int] = {}
    went: dict[str, int] = {}
    for one in sums:
        for tender, fen in one.by_tender.items():
            comes = fen >= 0 if one.kind is EntryKind.OTHER else one.kind in COMES
            side = came if comes else went
            side[tender] = side.get(tender, 0) + (abs(fen) if one.kind is EntryKind.OTHER else fen)
    for extra in outside:
        side, fen = (came, extra.amount_fen) if extra.amount_fen >= 0 else (went, -extra.amount_fen)
        side[extra.tender] = side.get(extra.tender, 0) + fen
    return came, went


def _cashiers(sums: Sequence[Sum], cashier: str) -> tuple[CashierFigures, ...]:
    names = sorted({one.cashier or cashier for one in sums})

    def total(name: str, kind: EntryKind) -> int:
        return sum(one.fen for one in sums if one.kind is kind and (one.cashier or cashier) == name)

    return tuple(
        CashierFigures(
            cashier=name,
            sales=sum(one.count for one in sums if one.kind is EntryKind.SALE and (one.cashier or cashier) == name),
            sales_fen=total(name, EntryKind.SALE),
            refunds_fen=total(name, EntryKind.REFUND),
            recharges_fen=total(name, EntryKind.RECHARGE),
        )
        for name in names
    )
