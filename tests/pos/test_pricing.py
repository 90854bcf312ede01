"""Prices, tenders and points: exact sums, whatever the basket."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.kernel.errors import ValidationFailed
from backend.ledger.errors import InsufficientBalance
from backend.pos.errors import TendersMismatch, TenderUnsupported
from backend.pos.rules import pricing
from backend.pos.rules.pricing import TenderIn
from backend.pos.types import Line, Tender, TenderType


@st.composite
def baskets(draw):
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        qty, price = draw(st.integers(1, 50)), draw(st.integers(1, 500_000))
        lines.append(
            Line("sku", qty, price, draw(st.integers(0, qty * price)), draw(st.sampled_from([0, 5000, 10_000, 20_000])))
        )
    return lines


rates = st.integers(0, 10_000)


def test_price_of_a_basket_by_hand():
    lines = [Line("A", 3, 350, 50), Line("B", 1, 999)]

    price = pricing.price_lines(lines, discount_bp=500)

    assert [line.payable_fen for line in price.lines] == [950, 950]
    assert [line.member_discount_fen for line in price.lines] == [50, 49]
    assert (price.total_fen, price.discount_fen, price.payable_fen) == (2049, 149, 1900)


@given(baskets(), rates)
def test_payable_is_total_less_discount_and_the_sum_of_the_lines(lines, discount_bp):
    price = pricing.price_lines(lines, discount_bp=discount_bp)

    assert price.payable_fen == price.total_fen - price.discount_fen == sum(line.payable_fen for line in price.lines)
    assert all(0 <= line.payable_fen <= line.qty * line.unit_price_fen for line in price.lines)


def test_refuses_a_discount_that_exceeds_the_line():
    with pytest.raises(ValidationFailed) as refused:
        pricing.price_lines([Line("A", 1, 100), Line("B", 2, 100, 201)], discount_bp=0)

    assert refused.value.errors[0].pointer == "/lines/1/discount_fen"


def test_stored_value_pays_all_without_tenders():
    assert pricing.settle_tenders(None, 1234, value_bp=10_000) == (Tender(TenderType.STORED, 1234),)


def test_the_tender_without_an_amount_takes_the_rest():
    given_tenders = [
        TenderIn(TenderType.POINTS, points=100),
        TenderIn(TenderType.STORED),
        TenderIn(TenderType.CASH, 500),
    ]

    settled = pricing.settle_tenders(given_tenders, 2000, value_bp=10_000)

    assert [(t.type, t.amount_fen, t.points) for t in settled] == [
        (TenderType.POINTS, 100, 100),
        (TenderType.STORED, 1400, 0),
        (TenderType.CASH, 500, 0),
    ]


@pytest.mark.parametrize(
    "tenders",
    [
        [TenderIn(TenderType.CASH, 1999)],
        [TenderIn(TenderType.CASH, 2001)],
        [TenderIn(TenderType.CASH, 2001), TenderIn(TenderType.STORED)],
        [TenderIn(TenderType.CASH), TenderIn(TenderType.STORED)],
        [TenderIn(TenderType.STORED, 1000), TenderIn(TenderType.STORED, 1000)],
        [TenderIn(TenderType.POINTS, amount_fen=300, points=200), TenderIn(TenderType.CASH)],
        [TenderIn(TenderType.CASH, 2000, points=1)],
    ],
)
def test_refuses_tenders_that_do_not_add_up(tenders):
    with pytest.raises(TendersMismatch):
        pricing.settle_tenders(tenders, 2000, value_bp=10_000)


@pytest.mark.parametrize("kind", [TenderType.COUPON, TenderType.GIFT_CARD])
def test_refuses_tenders_that_are_not_accepted_yet(kind):
    with pytest.raises(TenderUnsupported):
        pricing.settle_tenders([TenderIn(kind, 2000)], 2000, value_bp=10_000)


@given(st.integers(1, 10**6), st.integers(1, 30_000))
def test_points_for_an_amount_pay_exactly_it_or_there_are_none(amount, value_bp):
    points = pricing.points_for(amount, value_bp=value_bp)

    if points is not None:
        assert pricing.points_value_fen(points, value_bp=value_bp) == amount
        assert pricing.points_value_fen(points - 1, value_bp=value_bp) < amount


def test_refuses_what_the_member_does_not_have():
    tenders = (Tender(TenderType.STORED, 500), Tender(TenderType.POINTS, 100, 100))

    pricing.check_sufficient(tenders, {"stored": 500, "points": 100})
    with pytest.raises(InsufficientBalance):
        pricing.check_sufficient(tenders, {"stored": 500, "points": -3})
    with pytest.raises(InsufficientBalance):
        pricing.check_sufficient(tenders, {"stored": 499, "points": 100})


@given(
    st.lists(st.tuples(st.sampled_from(["principal", "bonus"]), st.integers(1, 1000)), max_size=8), st.integers(0, 4000)
)
def test_bonus_share_is_what_spending_lot_by_lot_takes(lots, amount):
    left, expected = amount, 0
    for part, remaining in lots:
        for _ in range(min(remaining, left)):
            left -= 1
            expected += part == "bonus"

    assert pricing.bonus_share(amount, lots) == expected


def test_points_earned_by_hand():
    price = pricing.price_lines([Line("A", 1, 10_050), Line("B", 1, 9_990, rate_bp=20_000)], discount_bp=0)

    earned = pricing.points_earned(price.lines, not_earning_fen=0, multiplier_bp=15_000, per_yuan_bp=10_000)

    assert earned == (150, 299)


@given(baskets(), st.data())
def test_value_that_does_not_earn_never_adds_points(lines, data):
    price = pricing.price_lines(lines, discount_bp=0)
    assume(price.payable_fen > 0)
    less = data.draw(st.integers(0, price.payable_fen))

    full = pricing.points_earned(price.lines, not_earning_fen=0, multiplier_bp=10_000, per_yuan_bp=10_000)
    part = pricing.points_earned(price.lines, not_earning_fen=less, multiplier_bp=10_000, per_yuan_bp=10_000)
    none = pricing.points_earned(
        price.lines, not_earning_fen=price.payable_fen, multiplier_bp=10_000, per_yuan_bp=10_000
    )

    assert all(0 <= few <= many for few, many in zip(part, full, strict=True))
    assert sum(none) == 0
