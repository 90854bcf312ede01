"""Prices, tenders and points of a sale. Source: CONTRACT, POS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.kernel.errors import invalid
from backend.kernel.money import MAX_AMOUNT, share_list
from backend.ledger.errors import InsufficientBalance
from backend.points.rules.earning import standard_points

from ..errors import TendersMismatch
from ..types import MEMBER_VALUE, Line, LineOffer, Price, PricedLine, Tender, TenderType

BP = 10_000
MOST_GIFT_CARDS = 5
"""In one sale: their rows are locked together."""

REPEATED = frozenset({TenderType.COUPON, TenderType.GIFT_CARD, TenderType.CASH, TenderType.EXTERNAL})
"""Tenders that may be given more than once, each naming what it is."""


def price_lines(lines: Sequence[Line], *, discount_bp: int, offers: Sequence[Sequence[LineOffer]] = ()) -> Price:
    """Price every line: base less the member's discount, rounded down per line, no further rounding.

    ``offers`` are those that compete for each line, or nothing for all: the best for the member is taken, and the
    level's discount alone where that is as good.
    """
    priced = []
    for position, line in enumerate(lines):
        gross = line.qty * line.unit_price_fen
        base = gross - line.discount_fen
        if base < 0:
            raise invalid(f"/lines/{position}/discount_fen", "is more than the line costs")
        member_discount, offer = base * discount_bp // BP, None
        if offers:
            member_discount, offer = best_offer(base, line.qty, discount_bp, offers[position])
        priced.append(
            PricedLine(
                line_no=position + 1,
                sku=line.sku,
                qty=line.qty,
                unit_price_fen=line.unit_price_fen,
                discount_fen=line.discount_fen,
                member_discount_fen=member_discount,
                payable_fen=base - member_discount,
                rate_bp=line.rate_bp,
                name=line.name,
                category=line.category,
                cost_fen=None if line.cost_fen is None else line.qty * line.cost_fen,
                brand=line.brand,
                offer=offer,
            )
        )
    total = sum(line.qty * line.unit_price_fen for line in priced)
    if total > MAX_AMOUNT:
        raise invalid("/lines", f"the sale is more than {MAX_AMOUNT} fen")
    payable = sum(line.payable_fen for line in priced)
    return Price(tuple(priced), total_fen=total, discount_fen=total - payable, payable_fen=payable)


def best_offer(base_fen: int, qty: int, discount_bp: int, offers: Sequence[LineOffer]) -> tuple[int, str | None]:
    """The most that is taken off a line, and by which offer; None where the level's discount alone does as much.

    An offer takes its share, rounded down, and never more than there is; a stackable one leaves the level's discount on
    the rest. Of equals the first.
    """
    most, winner = base_fen * discount_bp // BP, None
    for offer in offers:
        off = min(base_fen, base_fen * offer.rate_bp // BP + qty * offer.piece_fen)
        if offer.stackable:
            off += (base_fen - off) * discount_bp // BP
        if off > most:
            most, winner = off, offer.rule
    return most, winner


def points_value_fen(points: int, *, value_bp: int) -> int:
    """What so many points pay, rounded down."""
    return points * value_bp // BP


def points_for(amount_fen: int, *, value_bp: int) -> int | None:
    """The least points that pay exactly this amount, or None where no number does."""
    points = -(-amount_fen * BP // value_bp)
    return points if points_value_fen(points, value_bp=value_bp) == amount_fen else None


class TenderIn(msgspec.Struct, frozen=True):
    """A tender as the till sends it; an amount may be missing once."""

    type: TenderType
    amount_fen: int | None = None
    points: int | None = None
    reference: str | None = None
    coupon_id: str | None = None


def settle_tenders(
    given: Sequence[TenderIn] | None,
    payable_fen: int,
    *,
    value_bp: int,
    coupons: Mapping[str, int] | None = None,
    short: bool = False,
) -> tuple[Tender, ...]:
    """Give every tender its amount; the one without takes the rest, and with no tenders stored value pays all.

    Raises ``TendersMismatch`` where they do not add up to ``payable_fen`` exactly.

    Args:
        coupons: what each coupon that is named takes off, by id.
        short: they may make less; in a quote, of which a coupon was left out.
    """
    wanted = list(given or ()) if given or short else [TenderIn(TenderType.STORED)]
    seen: set[TenderType] = set()
    amounts: list[int | None] = []
    for tender in wanted:
        if tender.type in seen and tender.type not in REPEATED:
            raise TendersMismatch(f"the tender {tender.type} is given twice")
        seen.add(tender.type)
        amounts.append(_own_amount(tender, value_bp=value_bp, coupons=coupons or {}))
    if amounts.count(None) > 1:
        raise TendersMismatch("only one tender may lack an amount")
    rest = payable_fen - sum(amount for amount in amounts if amount is not None)
    if rest < 0 or (rest and None not in amounts and not short):
        raise TendersMismatch(f"the tenders make {payable_fen - rest} fen, payable are {payable_fen} fen")
    settled = []
    for tender, amount in zip(wanted, amounts, strict=True):
        fen = rest if amount is None else amount
        if fen:
            points = _points_of(tender, fen, value_bp=value_bp)
            settled.append(Tender(tender.type, fen, points, tender.reference, tender.coupon_id))
    return tuple(settled)


def _own_amount(tender: TenderIn, *, value_bp: int, coupons: Mapping[str, int]) -> int | None:
    if tender.type is not TenderType.POINTS and tender.points is not None:
        raise TendersMismatch(f"a {tender.type} tender has no points")
    if tender.type is TenderType.COUPON:
        takes = coupons[tender.coupon_id or ""]
        if tender.amount_fen not in (None, takes):
            raise TendersMismatch(f"the coupon {tender.coupon_id} takes {takes} fen")
        return takes
    if tender.type is not TenderType.POINTS:
        return tender.amount_fen
    if tender.points is None:
        return tender.amount_fen
    value = points_value_fen(tender.points, value_bp=value_bp)
    if value == 0 or (tender.amount_fen is not None and tender.amount_fen != value):
        raise TendersMismatch(f"{tender.points} points pay {value} fen")
    return value


def _points_of(tender: TenderIn, amount_fen: int, *, value_bp: int) -> int:
    if tender.type is not TenderType.POINTS:
        return 0
    points = tender.points if tender.points is not None else points_for(amount_fen, value_bp=value_bp)
    if points is None:
        raise TendersMismatch(f"no number of points pays exactly {amount_fen} fen")
    return points


def member_value_fen(tenders: Sequence[Tender]) -> int:
    """How much of the sale is paid with the member's own value; this counts towards the password-free limits."""
    return sum(tender.amount_fen for tender in tenders if tender.type in MEMBER_VALUE)


def check_sufficient(tenders: Sequence[Tender], available: Mapping[str, int]) -> None:
    """Refuse what cannot be paid.

    ``available``: ``stored`` and ``rebate`` in fen, ``points`` less debt, and by its id what is on each gift card.
    """
    for tender in tenders:
        if tender.type not in MEMBER_VALUE:
            continue
        need = tender.points if tender.type is TenderType.POINTS else tender.amount_fen
        is_card = tender.type is TenderType.GIFT_CARD
        if available.get((tender.reference or "") if is_card else tender.type.value, 0) < need:
            whose = "gift card's" if is_card else f"member's {tender.type}"
            raise InsufficientBalance(f"the {whose} balance is too small", extra={"tender": str(tender.type)})


def bonus_share(amount_fen: int, lots: Sequence[tuple[str, int]]) -> int:
    """How much of a taking from stored value is bonus, when lots ``(part, remaining)`` are spent in this order."""
    bonus = 0
    for part, remaining in lots:
        taken = min(amount_fen, remaining)
        if part == "bonus":
            bonus += taken
        amount_fen -= taken
        if not amount_fen:
            break
    return bonus


def points_earned(
    lines: Sequence[PricedLine],
    *,
    not_earning_fen: int,
    multiplier_bp: int,
    per_yuan_bp: int,
    coupon_fen: Mapping[int, int] | None = None,
) -> tuple[int, ...]:
    """Points per line: payable less its share of points, coupon, rebate and bonus, times the rates, rounded down.

    Args:
        not_earning_fen: the sum of points, rebate and bonus, 0..what coupons left; shared by largest remainder.
        multiplier_bp: the level's multiplier; per_yuan_bp: the chain's points per ¥1. Both in basis points.
        coupon_fen: what coupons took off lines, by ``line_no``.
    """
    earning = earning_fen(lines, not_earning_fen=not_earning_fen, coupon_fen=coupon_fen)
    return tuple(
        standard_points(fen, line.rate_bp, multiplier_bp, per_yuan_bp) for line, fen in zip(lines, earning, strict=True)
    )


def earning_fen(
    lines: Sequence[PricedLine], *, not_earning_fen: int, coupon_fen: Mapping[int, int] | None = None
) -> tuple[int, ...]:
    """What of each line earns points: payable less its share of points, coupon, rebate and bonus; as for the points."""
    off = coupon_fen or {}
    left = [line.payable_fen - off.get(line.line_no, 0) for line in lines]
    return tuple(fen - part for fen, part in zip(left, share_list(not_earning_fen, left), strict=True))
