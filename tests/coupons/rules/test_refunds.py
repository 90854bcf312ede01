"""Refunds of sales with coupons: together with the till's shares everything comes back once, whatever the order."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.coupons.rules import costs, refunds
from backend.coupons.rules.combine import combine
from backend.coupons.types import (
    BasketLine,
    CostShare,
    CouponRefund,
    Party,
    RefundPolicy,
    Use,
)
from backend.sales.errors import RefundExceedsPaid
from backend.sales.rules import refunds as till
from backend.sales.types import PricedLine, SaleBody, SaleProgress, Tender, TenderType
from tests.coupons.rules.build import OCCASION, ON, baskets, terms, wallets

COST = (CostShare(Party.HEAD_OFFICE, 7000), CostShare(Party.STORE, 3000))
USE = Use(coupon_id="c1", amount_fen=2000, by_line=((1, 2000),), counted=(1, 2))


def returned(its_terms, *shares):
    """What each of several refunds puts back on the coupon's account."""
    before, found = 0, []
    for share in shares:
        found.append(refunds.refund(USE, its_terms, before_fen=before, now_fen=share, store_id="S1").returned)
        before += share
    return found


@pytest.mark.parametrize(
    ("its_terms", "shares", "back"),
    [
        (terms(), (700, 1299, 1), [0, 0, 1]),
        (terms(), (2000, 0), [1, 0]),
        (terms(face_fen=9000, partial_use=True), (700, 1300), [0, 2000]),
        (terms(face_fen=9000, partial_use=True, refund=RefundPolicy.SPLIT), (700, 1300), [700, 1300]),
        (terms(refund=RefundPolicy.CLAW_BACK), (700, 1300), [0, 1]),
        (terms(refund=RefundPolicy.FORFEIT), (700, 1300), [0, 0]),
    ],
)
def test_when_a_coupon_returns(its_terms, shares, back):
    assert returned(its_terms, *shares) == back


def test_whoever_bore_the_cost_bears_less_by_the_coupons_share():
    first = refunds.refund(USE, terms(cost=COST), before_fen=0, now_fen=333, store_id="S1")
    last = refunds.refund(USE, terms(cost=COST), before_fen=333, now_fen=1667, store_id="S1")

    assert first == CouponRefund(coupon_id="c1", amount_fen=333, returned=0, cost={"head_office": 234, "store/S1": 99})
    assert last == CouponRefund(
        coupon_id="c1", amount_fen=1667, returned=1, cost={"head_office": 1166, "store/S1": 501}
    )


CLAWED = terms(min_spend_fen=10_000, refund=RefundPolicy.CLAW_BACK)


@pytest.mark.parametrize(
    ("its_terms", "kept_fen", "first"),
    [
        (CLAWED, {1: 6000, 2: 4000}, False),
        (CLAWED, {1: 6000, 2: 3999}, True),
        (CLAWED, {1: 6000, 2: 3999, 3: 5000}, True),  # line 3 does not count
        (terms(min_spend_fen=10_000), {}, False),
        (terms(refund=RefundPolicy.CLAW_BACK), {1: 1, 2: 0}, False),
        (terms(refund=RefundPolicy.CLAW_BACK), {1: 0, 2: 0, 3: 5000}, True),
    ],
)
def test_a_coupon_is_clawed_back_where_what_is_kept_would_not_have_earned_it(its_terms, kept_fen, first):
    assert refunds.is_taken_first(USE, its_terms, kept_fen) is first


def test_what_is_clawed_back_goes_first_and_the_rest_by_what_is_left():
    # ¥120 with ¥20 off: ¥100 paid. ¥60 come back, and what is kept does not reach ¥100.
    assert refunds.spread(6000, [2000, 10_000], first=[0]) == [2000, 4000]
    assert refunds.spread(1500, [2000, 10_000], first=[0]) == [1500, 0]
    assert refunds.spread(6000, [2000, 10_000]) == [1000, 5000]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.data())
def test_a_spread_refund_is_whole_and_no_tender_gives_more_than_it_has(left_fen, data):
    amount = data.draw(st.integers(0, sum(left_fen)))
    first = data.draw(st.sets(st.integers(0, len(left_fen) - 1)))

    shares = refunds.spread(amount, left_fen, first)

    assert sum(shares) == amount
    assert all(0 <= share <= left for share, left in zip(shares, left_fen, strict=True))
    if sum(shares[position] for position in range(len(shares)) if position not in first):
        assert all(shares[position] == left_fen[position] for position in first)


# ------------------------------------------------------------------------------- baskets × coupons × refunds at random


def sale(basket: list[BasketLine], uses) -> SaleBody:
    """The basket sold: coupons pay first, cash the rest."""
    payable = sum(line.payable_fen for line in basket)
    lines = tuple(
        PricedLine(line.line_no, line.sku, line.qty, 1, 0, 0, payable_fen=line.payable_fen, rate_bp=10_000)
        for line in basket
    )
    tenders = [Tender(TenderType.COUPON, use.amount_fen, reference=use.coupon_id) for use in uses]
    rest = payable - sum(use.amount_fen for use in uses)
    if rest:
        tenders.append(Tender(TenderType.CASH, rest))
    return SaleBody(
        order_no="A1",
        terminal_id="T1",
        lines=lines,
        tenders=tuple(tenders),
        total_fen=payable,
        discount_fen=0,
        payable_fen=payable,
        points_earned=0,
        multiplier_bp=10_000,
        paid={},
    )


@st.composite
def policies(draw, its_terms):
    choices = [policy for policy in RefundPolicy if policy is not RefundPolicy.SPLIT or its_terms.partial_use]
    return draw(st.sampled_from(choices))


@settings(max_examples=300)
@given(wallets(most=5), baskets(), st.data())
def test_paid_and_discounts_are_the_total_at_every_step_and_coupons_return_at_most_once(helds, basket, data):
    def drawn(one):
        its_terms = msgspec.structs.replace(one.terms, refund=data.draw(policies(one.terms)), cost=COST)
        return msgspec.structs.replace(one, terms=its_terms)

    helds = {one.id: drawn(one) for one in helds}
    best = combine(list(helds.values()), basket, OCCASION, ON)
    body = sale(basket, best.uses)
    progress = till.start(body, SaleProgress())
    back = {use.coupon_id: 0 for use in best.uses}
    borne = {use.coupon_id: costs.split(use.amount_fen, COST, "S1") for use in best.uses}

    while sum(line.payable_fen for line in body.lines) > progress.refunded_fen:
        wanted = {
            line.line_no: data.draw(st.integers(0, line.qty - done))
            for line, done in zip(body.lines, progress.line_qty, strict=True)
        }
        try:
            asked = till.by_lines(body, progress, {number: pieces for number, pieces in wanted.items() if pieces})
        except RefundExceedsPaid:
            asked = till.by_amount(body, progress, data.draw(st.integers(1, body.payable_fen - progress.refunded_fen)))
        line_fen = [a + b for a, b in zip(progress.line_fen, asked.line_fen, strict=True)]
        kept = {line.line_no: line.payable_fen - fen for line, fen in zip(body.lines, line_fen, strict=True)}
        left = [tender.amount_fen - fen for tender, fen in zip(body.tenders, progress.tender_fen, strict=True)]
        first = [
            position
            for position, use in enumerate(best.uses)
            if refunds.is_taken_first(use, helds[use.coupon_id].terms, kept)
        ]
        shares = refunds.spread(asked.refund_fen, left, first)
        if not first:
            assert tuple(shares) == asked.tender_fen
        for use, before, now in zip(best.uses, progress.tender_fen, shares, strict=False):
            moved = refunds.refund(use, helds[use.coupon_id].terms, before_fen=before, now_fen=now, store_id="S1")
            back[use.coupon_id] += moved.returned
            for party, fen in moved.cost.items():
                assert fen >= 0
                borne[use.coupon_id][party] -= fen
        progress = till.advance(progress, msgspec.structs.replace(asked, tender_fen=tuple(shares)), {})

        assert sum(progress.tender_fen) == progress.refunded_fen == sum(progress.line_fen)
        assert all(fen <= tender.amount_fen for fen, tender in zip(progress.tender_fen, body.tenders, strict=True))
        for use, refunded in zip(best.uses, progress.tender_fen, strict=False):
            assert sum(borne[use.coupon_id].values()) == use.amount_fen - refunded
            limit = use.amount_fen if helds[use.coupon_id].terms.partial_use else 1
            assert 0 <= back[use.coupon_id] <= limit

    for use in best.uses:
        its_terms = helds[use.coupon_id].terms
        whole = use.amount_fen if its_terms.partial_use else 1
        assert back[use.coupon_id] == (0 if its_terms.refund is RefundPolicy.FORFEIT else whole)
        assert set(borne[use.coupon_id].values()) == {0}
