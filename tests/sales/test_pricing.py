"""Prices, tenders and points: exact sums, whatever the basket."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.kernel.errors import ValidationFailed
from backend.ledger.errors import InsufficientBalance
from backend.sales.errors import TendersMismatch
from backend.sales.rules import pricing
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, Tender, TenderType


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


def test_several_gift_cards_pay_what_they_are_told_and_the_last_one_the_rest():
    cards = [TenderIn(TenderType.GIFT_CARD, 700, reference="1"), TenderIn(TenderType.GIFT_CARD, reference="2")]

    settled = pricing.settle_tenders(cards, 2000, value_bp=10_000)

    assert settled == (
        Tender(TenderType.GIFT_CARD, 700, reference="1"),
        Tender(TenderType.GIFT_CARD, 1300, reference="2"),
    )
    assert pricing.member_value_fen(settled) == 2000
    pricing.check_sufficient(settled, {"1": 700, "2": 1300})
    for poor in ({"1": 699, "2": 1300}, {"1": 700, "2": 1299}, {"1": 2000}, {"gift_card": 2000}):
        with pytest.raises(InsufficientBalance) as refused:
            pricing.check_sufficient(settled, poor)
        assert refused.value.extra == {"tender": "gift_card"}


def test_coupons_pay_what_they_take_off_and_the_tender_without_an_amount_the_rest():
    given_tenders = [
        TenderIn(TenderType.COUPON, coupon_id="a"),
        TenderIn(TenderType.CASH, 500),
        TenderIn(TenderType.COUPON, 300, coupon_id="b"),
        TenderIn(TenderType.STORED),
    ]

    settled = pricing.settle_tenders(given_tenders, 2_000, value_bp=10_000, coupons={"a": 700, "b": 300})

    assert [(tender.type, tender.amount_fen, tender.coupon_id) for tender in settled] == [
        ("coupon", 700, "a"),
        ("cash", 500, None),
        ("coupon", 300, "b"),
        ("stored", 500, None),
    ]
    assert pricing.member_value_fen(settled) == 500


@pytest.mark.parametrize(
    "wrong",
    [
        [TenderIn(TenderType.COUPON, 699, coupon_id="a"), TenderIn(TenderType.STORED)],
        [TenderIn(TenderType.COUPON, coupon_id="a")],
        [TenderIn(TenderType.COUPON, coupon_id="a"), TenderIn(TenderType.CASH, 1_301)],
        [TenderIn(TenderType.COUPON, coupon_id="a", points=7), TenderIn(TenderType.STORED)],
    ],
)
def test_refuses_tenders_that_do_not_add_up_with_the_coupons(wrong):
    with pytest.raises(TendersMismatch):
        pricing.settle_tenders(wrong, 2_000, value_bp=10_000, coupons={"a": 700})


def test_a_line_earns_on_what_its_own_coupon_left():
    lines = pricing.price_lines([Line("a", 1, 10_000), Line("b", 1, 10_000)], discount_bp=0).lines

    def earned(**more):
        return pricing.points_earned(lines, multiplier_bp=10_000, per_yuan_bp=10_000, **more)

    assert earned(not_earning_fen=0, coupon_fen={2: 2_000}) == (100, 80)
    assert earned(not_earning_fen=9_000, coupon_fen={2: 2_000}) == (50, 40)
    assert earned(not_earning_fen=9_000) == (55, 55)


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
