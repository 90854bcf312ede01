"""Whether one coupon may be used on a basket, and what it takes off there by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from ..types import (
    DELIVERY_LINE,
    BasketLine,
    CouponKind,
    CouponState,
    Held,
    Occasion,
    Reason,
    Scope,
    Terms,
    Verdict,
)

BP = 10_000

_ENDED = {
    CouponState.USED: Reason.USED,
    CouponState.LOCKED: Reason.LOCKED,
    CouponState.GIVEN: Reason.GIVEN,
    CouponState.VOID: Reason.VOID,
}


def judge(held: Held, basket: Sequence[BasketLine], occasion: Occasion, on: date) -> Verdict:
    """What the coupon takes off by itself, or the first reason why it takes nothing.

    Args:
        basket: lines with what they cost before coupons.
        on: the day of the sale, which its validity is about; hours and weekdays follow ``occasion.at``.
    """
    refused = find_obstacle(held, occasion, on)
    if refused is not None:
        return refused
    terms = held.terms
    lines = in_scope(terms.scope, basket)
    if not lines:
        return Verdict(coupon_id=held.id, reason=Reason.NO_ARTICLE_IN_SCOPE)
    base = sum(line.payable_fen for line in lines)
    if base < terms.min_spend_fen:
        missing = terms.min_spend_fen - base
        return Verdict(coupon_id=held.id, reason=Reason.BELOW_THRESHOLD, missing_fen=missing)
    amount, given = _gives(held, lines, base, occasion)
    if amount <= 0:
        return Verdict(coupon_id=held.id, reason=Reason.NOTHING_TO_TAKE)
    return Verdict(coupon_id=held.id, amount_fen=amount, lines=given, counted=tuple([line.line_no for line in lines]))


def find_obstacle(held: Held, occasion: Occasion, on: date) -> Verdict | None:
    """Why the coupon is of no use to this member here and now, whatever is bought; None where it may be."""
    refused = _standing(held, on)
    if refused is not None:
        return refused
    reason = _place(held.terms.scope, occasion)
    return None if reason is None else Verdict(coupon_id=held.id, reason=reason)


def in_scope(scope: Scope, basket: Sequence[BasketLine]) -> list[BasketLine]:
    """The lines whose category, brand and SKU are in scope."""
    lines = list(basket)
    if scope.categories:
        categories = frozenset(scope.categories)
        lines = [line for line in lines if line.category in categories]
    if scope.brands:
        brands = frozenset(scope.brands)
        lines = [line for line in lines if line.brand in brands]
    if scope.skus and lines:
        skus = frozenset(scope.skus)
        lines = [line for line in lines if line.sku in skus]
    if scope.skus_excluded and lines:
        excluded = frozenset(scope.skus_excluded)
        lines = [line for line in lines if line.sku not in excluded]
    return lines


def _standing(held: Held, on: date) -> Verdict | None:
    reason = _ENDED.get(held.state)
    if reason is not None:
        return Verdict(coupon_id=held.id, reason=reason)
    if held.state is CouponState.EXPIRED or (held.expires_on is not None and held.expires_on < on):
        return Verdict(coupon_id=held.id, reason=Reason.EXPIRED, day=held.expires_on)
    if held.balance <= 0:
        return Verdict(coupon_id=held.id, reason=Reason.USED)
    if on < held.valid_from:
        return Verdict(coupon_id=held.id, reason=Reason.NOT_YET_VALID, day=held.valid_from)
    return None


def _place(scope: Scope, occasion: Occasion) -> Reason | None:
    if scope.stores and occasion.store_id not in scope.stores:
        return Reason.OTHER_STORE
    if scope.channels and occasion.channel not in scope.channels:
        return Reason.OTHER_CHANNEL
    if scope.levels and occasion.level not in scope.levels:
        return Reason.OTHER_LEVEL
    return _moment(scope, occasion.at)


def _moment(scope: Scope, at: datetime) -> Reason | None:
    today = at.isoweekday()
    good_day = not scope.weekdays or today in scope.weekdays
    if not scope.hours:
        return None if good_day else Reason.WRONG_WEEKDAY
    good_night = not scope.weekdays or (today - 2) % 7 + 1 in scope.weekdays
    minute = at.hour * 60 + at.minute
    for hours in scope.hours:
        if hours.from_minute < hours.to_minute:
            open_now = good_day and hours.from_minute <= minute < hours.to_minute
        else:
            open_now = (good_day and minute >= hours.from_minute) or (good_night and minute < hours.to_minute)
        if open_now:
            return None
    return Reason.WRONG_HOUR if good_day else Reason.WRONG_WEEKDAY


def _gives(held: Held, lines: Sequence[BasketLine], base: int, occasion: Occasion) -> tuple[int, tuple[int, ...]]:
    terms = held.terms
    if terms.kind is CouponKind.SHIPPING:
        fee = occasion.shipping_fen
        return min(terms.face_fen or fee, fee), (DELIVERY_LINE,)
    if terms.kind in {CouponKind.EXCHANGE, CouponKind.SERVICE}:
        return _dearest(terms, lines)
    if terms.kind is CouponKind.PERCENT:
        amount = base * terms.rate_bp // BP
        if terms.cap_fen is not None:
            amount = min(amount, terms.cap_fen)
    else:
        amount = min(held.balance if terms.partial_use else terms.face_fen, base)
    return amount, tuple([line.line_no for line in lines if line.payable_fen])


def _dearest(terms: Terms, lines: Sequence[BasketLine]) -> tuple[int, tuple[int, ...]]:
    """Up to so many pieces, the dearest first; m of a line's n pieces are worth ⌊payable × m / n⌋."""
    wanted, amount, given = terms.pieces, 0, []
    for line in sorted(lines, key=lambda line: (-(line.payable_fen * BP // line.qty), line.line_no)):
        pieces = min(wanted, line.qty)
        worth = line.payable_fen * pieces // line.qty
        if not worth:
            break
        amount += worth
        given.append(line.line_no)
        wanted -= pieces
        if not wanted:
            break
    return amount, tuple(sorted(given))
