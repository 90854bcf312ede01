"""Coupons, baskets and occasions for tests of the rules, by hand and at random; and the slow, plain reading of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from backend.coupons.types import (
    DELIVERY_LINE,
    BasketLine,
    Channel,
    CouponKind,
    Held,
    Occasion,
    Scope,
    Stacking,
    Terms,
    Validity,
)

ON = date(2026, 11, 27)
"""A Friday."""

AT = datetime(2026, 11, 27, 14, 30)
OCCASION = Occasion("S1", Channel.POS, "silver", AT)
VALIDITY = Validity(until_on=date(2026, 12, 31))


def terms(kind=CouponKind.CASH, **fields) -> Terms:
    """Cash, ¥20 off, with any others; unless said otherwise."""
    defaults: dict[str, Any] = {"validity": VALIDITY, "stacking": Stacking.JOINT}
    if kind is CouponKind.CASH:
        defaults["face_fen"] = 2000
    return Terms(kind=kind, **(defaults | fields))


def held(its_terms=None, coupon_id="c1", *, days=34, balance=None, **fields) -> Held:
    """A coupon that is good for so many days more."""
    its_terms = terms() if its_terms is None else its_terms
    worth = its_terms.face_fen if its_terms.partial_use else 1
    defaults: dict[str, Any] = {"valid_from": date(2026, 11, 1), "expires_on": ON + timedelta(days=days)}
    balance = worth if balance is None else balance
    return Held(id=coupon_id, template="t1", terms=its_terms, balance=balance, **(defaults | fields))


def line(line_no=1, payable_fen=10_000, sku="A", qty=1, **fields) -> BasketLine:
    return BasketLine(line_no, sku, qty, payable_fen, **fields)


# ------------------------------------------------------------------------------------------------------- at random

CATEGORIES = ("food", "drink", "home")
BRANDS = ("x", "y", "z")

# Made once: to make a strategy costs more than to draw from it.
_YES_OR_NO = st.booleans()
_UP_TO_3, _UP_TO_4, _UP_TO_5, _UP_TO_9 = (st.integers(0, most) for most in (3, 4, 5, 9))
_1_TO_4, _1_TO_5, _1_TO_10_000 = (st.integers(1, most) for most in (4, 5, 10_000))
_CATEGORY = st.sampled_from((None, *CATEGORIES))
_BRAND = st.sampled_from((None, *BRANDS))
_CHANNEL = st.sampled_from(list(Channel))
_SCOPE = {
    "categories": st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True).map(tuple),
    "brands": st.lists(st.sampled_from(BRANDS), max_size=2, unique=True).map(tuple),
    "skus_excluded": st.lists(st.sampled_from(["sku0", "sku1"]), max_size=1).map(tuple),
}
_KIND = st.sampled_from([CouponKind.CASH, CouponKind.CASH, *CouponKind])
_STACKING = st.sampled_from([Stacking.JOINT, Stacking.JOINT, *Stacking])
_GROUP = st.sampled_from(["g1", "g2"])
_SOME_GROUP = st.sampled_from(["", "", "g1", "g2"])
_TOGETHER = st.none() | st.none() | st.integers(1, 4)
_FEW_TOGETHER = st.sampled_from([None, None, None, 2, 3])
_PIECES = st.sampled_from([1, 1, 1, 2, 3])
_TIGHT_FACE = st.sampled_from([100, 200, 300]) | st.integers(1, 700)


@st.composite
def baskets(draw, most=6, most_fen=3_000):
    """Small prices, so that coupons take all that there is."""
    fen = st.integers(0, most_fen)
    return [
        BasketLine(number + 1, f"sku{draw(_UP_TO_5)}", draw(_1_TO_4), draw(fen), draw(_CATEGORY), draw(_BRAND))
        for number in range(draw(st.integers(1, most)))
    ]


@st.composite
def occasions(draw):
    channel = draw(_CHANNEL)
    fee = draw(st.integers(0, 1_500)) if channel is Channel.MALL else 0
    return Occasion("S1", channel, "silver", AT, fee)


@st.composite
def scopes(draw):
    return Scope(**{name: draw(values) for name, values in _SCOPE.items() if draw(_YES_OR_NO)})


_ANY_SCOPE = scopes()


@st.composite
def any_terms(draw, most_fen=4_000):
    kind = draw(_KIND)
    scope, fields = draw(_ANY_SCOPE), {}
    if kind in {CouponKind.CASH, CouponKind.SHIPPING}:
        fields["face_fen"] = draw(st.integers(1 if kind is CouponKind.CASH else 0, most_fen))
        fields["partial_use"] = kind is CouponKind.CASH and draw(_YES_OR_NO)
    elif kind is CouponKind.PERCENT:
        fields["rate_bp"] = draw(_1_TO_10_000)
        fields["cap_fen"] = draw(st.none() | st.integers(1, most_fen))
    else:
        fields["pieces"] = draw(_1_TO_5)
        scope = scope if scope.categories or scope.brands else Scope(categories=CATEGORIES)
    stacking = draw(_STACKING)
    fields["group"] = draw(_GROUP) if stacking is Stacking.ONE_OF_GROUP else ""
    if stacking is not Stacking.EXCLUSIVE:
        fields["max_together"] = draw(_TOGETHER)
    return terms(kind, scope=scope, stacking=stacking, **fields)


_ANY_TERMS = any_terms()


@st.composite
def wallets(draw, most=7):
    """Coupons, some of them pieces of one offer."""
    found: list[Held] = []
    while len(found) < most and draw(_UP_TO_9):
        its_terms = draw(_ANY_TERMS)
        for _ in range(min(draw(_PIECES), most - len(found))):
            found.append(held(its_terms, f"c{draw(_UP_TO_9)}{len(found)}", days=draw(_UP_TO_4)))
    return found


@st.composite
def tight_wallets(draw, most=8):
    """Cash coupons that cross each other and are worth more than there is to pay."""
    found: list[Held] = []
    for number in range(draw(st.integers(2, most))):
        group = draw(_SOME_GROUP)
        its_terms = terms(
            face_fen=draw(_TIGHT_FACE),
            scope=draw(_ANY_SCOPE),
            stacking=Stacking.ONE_OF_GROUP if group else Stacking.JOINT,
            group=group,
            max_together=draw(_FEW_TOGETHER),
            partial_use=draw(_YES_OR_NO),
        )
        found.append(held(its_terms, f"c{number}", days=draw(_UP_TO_3)))
    return found


# ------------------------------------------------------------------------------------------ the slow, plain reading


def may_be_together(helds) -> bool:
    """Whether a set is admissible, straight from the words of ``Stacking``."""
    groups = [one.terms.group for one in helds if one.terms.stacking is Stacking.ONE_OF_GROUP]
    alone = any(one.terms.stacking is Stacking.EXCLUSIVE for one in helds)
    limits = [one.terms.max_together for one in helds if one.terms.max_together is not None]
    return (
        len(set(groups)) == len(groups)
        and not (alone and len(helds) > 1)
        and all(len(helds) <= limit for limit in limits)
    )


def taken_together(helds, verdicts, basket, occasion) -> dict[str, dict[int, int]]:
    """What each takes off each line, coupon by coupon and line by line."""
    payable = {one.line_no: one.payable_fen for one in basket} | {DELIVERY_LINE: occasion.shipping_fen}
    place = {line_no: at for at, line_no in enumerate([*(one.line_no for one in basket), DELIVERY_LINE])}
    left = dict(payable)

    def turn(one):
        verdict = verdicts[one.id]
        scope = sum(payable[line_no] for line_no in verdict.lines)
        lines = [place[line_no] for line_no in verdict.lines]
        return scope, lines, one.terms.partial_use, -verdict.amount_fen, one.expires_on, one.id

    result = {}
    for one in sorted(helds, key=turn):
        lines = list(verdicts[one.id].lines)
        before = {line_no: left[line_no] for line_no in lines}
        amount, given, passed = min(verdicts[one.id].amount_fen, sum(before.values())), 0, 0
        result[one.id] = {}
        for line_no in lines:
            passed += before[line_no]
            part = amount * passed // sum(before.values()) - given if passed else 0
            given += part
            result[one.id][line_no] = part
            left[line_no] -= part
    return result


def best_by_trying_all(helds, verdicts, basket, occasion, must=()):
    """The ids of the best set and what it takes, from every set there is."""
    able = [one for one in helds if verdicts[one.id].reason is None]
    best = None
    for size in range(len(able) + 1):
        for some in combinations(able, size):
            if not may_be_together(some) or not set(must) <= {one.id for one in some}:
                continue
            taken = taken_together(some, verdicts, basket, occasion)
            if not all(sum(parts.values()) for parts in taken.values()):
                continue
            total = sum(sum(parts.values()) for parts in taken.values())
            key = (-total, size, sorted((one.expires_on, one.id) for one in some))
            if best is None or key < best[0]:
                best = key, {one.id for one in some}, total
    return best[1], best[2]
