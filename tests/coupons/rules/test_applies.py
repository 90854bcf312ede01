"""One coupon on one basket: what it takes, or the first reason why it takes nothing, with the numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.coupons.rules import texts
from backend.coupons.rules.applies import judge
from backend.coupons.rules.refusals import refused
from backend.coupons.types import Channel, CouponKind, CouponState, Hours, Occasion, Reason, Scope, Verdict
from tests.coupons.rules.build import (
    AT,
    OCCASION,
    ON,
    any_terms,
    baskets,
    held,
    line,
    occasions,
    terms,
)

MALL = Occasion("S1", Channel.MALL, "silver", AT, shipping_fen=800)
BASKET = [
    line(1, 5000, "milk", 2, category="food", brand="x"),
    line(2, 3000, "soap", 1, category="home", brand="x"),
    line(3, 0, "gift", 1, category="food", brand="y"),
    line(4, 2000, "rice", 4, category="food"),
]


def verdict(its_terms, basket=BASKET, occasion=OCCASION, **fields):
    return judge(held(its_terms, **fields), basket, occasion, ON)


def scoped(**fields):
    return terms(scope=Scope(**fields))


@pytest.mark.parametrize(
    ("its_terms", "amount_fen", "lines", "counted"),
    [
        (terms(), 2000, (1, 2, 4), (1, 2, 3, 4)),
        (terms(face_fen=99_999), 10_000, (1, 2, 4), (1, 2, 3, 4)),
        (terms(min_spend_fen=10_000), 2000, (1, 2, 4), (1, 2, 3, 4)),
        (scoped(categories=("food",)), 2000, (1, 4), (1, 3, 4)),
        (scoped(categories=("food",), brands=("x",)), 2000, (1,), (1,)),
        (scoped(skus=("rice", "soap")), 2000, (2, 4), (2, 4)),
        (scoped(categories=("food",), skus_excluded=("milk",)), 2000, (4,), (3, 4)),
        (terms(CouponKind.PERCENT, rate_bp=1234), 1234, (1, 2, 4), (1, 2, 3, 4)),
        (terms(CouponKind.PERCENT, rate_bp=1234, cap_fen=1000), 1000, (1, 2, 4), (1, 2, 3, 4)),
        (terms(CouponKind.EXCHANGE, scope=Scope(categories=("food",))), 2500, (1,), (1, 3, 4)),
        (terms(CouponKind.EXCHANGE, scope=Scope(categories=("food",)), pieces=3), 5500, (1, 4), (1, 3, 4)),
        (terms(CouponKind.SERVICE, scope=Scope(skus=("rice",)), pieces=9), 2000, (4,), (4,)),
    ],
)
def test_what_a_coupon_takes(its_terms, amount_fen, lines, counted):
    assert verdict(its_terms) == Verdict(coupon_id="c1", amount_fen=amount_fen, lines=lines, counted=counted)


def test_a_value_coupon_takes_what_is_left_of_it():
    found = verdict(terms(face_fen=9000, partial_use=True), balance=1234)

    assert found.amount_fen == 1234


@pytest.mark.parametrize(("face_fen", "amount_fen"), [(0, 800), (500, 500), (900, 800)])
def test_a_shipping_coupon_takes_the_delivery_fee(face_fen, amount_fen):
    found = verdict(terms(CouponKind.SHIPPING, face_fen=face_fen), occasion=MALL)

    assert found == Verdict(coupon_id="c1", amount_fen=amount_fen, lines=(0,), counted=(1, 2, 3, 4))


YESTERDAY, TOMORROW = ON - timedelta(days=1), ON + timedelta(days=1)


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        (verdict(terms(), state=CouponState.USED), {"reason": Reason.USED}),
        (verdict(terms(), balance=0), {"reason": Reason.USED}),
        (verdict(terms(), state=CouponState.LOCKED, balance=0), {"reason": Reason.LOCKED}),
        (verdict(terms(), state=CouponState.GIVEN, balance=0), {"reason": Reason.GIVEN}),
        (verdict(terms(), state=CouponState.VOID, balance=0), {"reason": Reason.VOID}),
        (verdict(terms(), days=-1), {"reason": Reason.EXPIRED, "day": YESTERDAY}),
        (verdict(terms(), state=CouponState.EXPIRED, days=-1, balance=0), {"reason": Reason.EXPIRED, "day": YESTERDAY}),
        (verdict(terms(), valid_from=TOMORROW), {"reason": Reason.NOT_YET_VALID, "day": TOMORROW}),
        (verdict(scoped(stores=("S2", "S3"))), {"reason": Reason.OTHER_STORE}),
        (verdict(scoped(channels=(Channel.MALL,))), {"reason": Reason.OTHER_CHANNEL}),
        (verdict(scoped(levels=("gold",))), {"reason": Reason.OTHER_LEVEL}),
        (verdict(scoped(weekdays=(1, 2, 3, 4, 6, 7))), {"reason": Reason.WRONG_WEEKDAY}),
        (verdict(scoped(hours=(Hours(0, 14 * 60 + 30),))), {"reason": Reason.WRONG_HOUR}),
        (verdict(scoped(categories=("wine",))), {"reason": Reason.NO_ARTICLE_IN_SCOPE}),
        (verdict(scoped(skus=("milk",), brands=("y",))), {"reason": Reason.NO_ARTICLE_IN_SCOPE}),
        (verdict(terms(), basket=[]), {"reason": Reason.NO_ARTICLE_IN_SCOPE}),
        (verdict(terms(min_spend_fen=11_200)), {"reason": Reason.BELOW_THRESHOLD, "missing_fen": 1200}),
        (verdict(scoped(skus=("gift",))), {"reason": Reason.NOTHING_TO_TAKE}),
        (verdict(terms(CouponKind.SHIPPING)), {"reason": Reason.NOTHING_TO_TAKE}),
        (verdict(terms(CouponKind.PERCENT, rate_bp=1), [line(1, 9999)]), {"reason": Reason.NOTHING_TO_TAKE}),
        (verdict(terms(CouponKind.EXCHANGE, scope=Scope(skus=("gift",)))), {"reason": Reason.NOTHING_TO_TAKE}),
    ],
)
def test_why_a_coupon_takes_nothing(found, refused):
    assert found == Verdict(coupon_id="c1", **refused)


@pytest.mark.parametrize("expires_on", [ON, None])
def test_the_last_day_is_a_good_day(expires_on):
    assert verdict(terms(), expires_on=expires_on, valid_from=ON).reason is None


NIGHT = scoped(weekdays=(5,), hours=(Hours(22 * 60, 2 * 60), Hours(9 * 60, 10 * 60)))  # Friday


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(2026, 11, 27, 8, 59), Reason.WRONG_HOUR),
        (datetime(2026, 11, 27, 9, 0), None),
        (datetime(2026, 11, 27, 9, 59), None),
        (datetime(2026, 11, 27, 10, 0), Reason.WRONG_HOUR),
        (datetime(2026, 11, 27, 1, 0), Reason.WRONG_HOUR),  # Thursday's night
        (datetime(2026, 11, 27, 22, 0), None),
        (datetime(2026, 11, 28, 1, 59), None),  # Saturday by the calendar, still Friday's night
        (datetime(2026, 11, 28, 2, 0), Reason.WRONG_WEEKDAY),
        (datetime(2026, 11, 28, 22, 0), Reason.WRONG_WEEKDAY),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_began(at, reason):
    found = judge(held(NIGHT), BASKET, msgspec.structs.replace(OCCASION, at=at), at.date())

    assert found.reason is reason


def test_the_reason_that_the_member_can_do_least_about_comes_first():
    bad = terms(min_spend_fen=99_999, scope=Scope(stores=("S2",), categories=("wine",)))

    assert verdict(bad).reason is Reason.OTHER_STORE
    assert verdict(bad, days=-1).reason is Reason.EXPIRED


@given(any_terms(), baskets(), occasions(), st.integers(0, 5000))
def test_a_coupon_takes_no_more_than_its_lines_cost_nor_than_it_is_worth(its_terms, basket, occasion, balance):
    found = judge(held(its_terms, balance=balance), basket, occasion, ON)

    payable = {one.line_no: one.payable_fen for one in basket} | {0: occasion.shipping_fen}
    assert 0 <= found.amount_fen <= sum(payable[line_no] for line_no in found.lines)
    assert (found.reason is None) == (found.amount_fen > 0)
    assert all(payable[line_no] for line_no in found.lines)
    if its_terms.partial_use:
        assert found.amount_fen <= balance
    elif its_terms.kind is CouponKind.CASH:
        assert found.amount_fen <= its_terms.face_fen


def test_there_is_a_sentence_for_every_reason_to_the_cashier_and_to_the_member():
    assert list(texts.TEXTS) == list(Reason)
    for reason in Reason:
        verdict = Verdict(coupon_id="c", reason=reason, missing_fen=1200, day=date(2026, 12, 1), most=2)
        for said in (texts.for_cashier(verdict), texts.for_member(verdict)):
            assert said
            assert "{" not in said


def test_sentences_say_the_numbers():
    below = Verdict(coupon_id="c", reason=Reason.BELOW_THRESHOLD, missing_fen=1205)
    early = Verdict(coupon_id="c", reason=Reason.NOT_YET_VALID, day=date(2026, 12, 1))

    assert (texts.for_member(below), texts.for_cashier(below)) == (
        "还差 ¥12.05 可用",
        "未达到使用门槛，还差 ¥12.05",
    )
    assert (refused(below).detail, refused(below, texts.for_member).detail) == (
        texts.for_cashier(below),
        texts.for_member(below),
    )
    assert texts.for_member(early) == "2026-12-01 起可用"
    assert texts.for_cashier(Verdict(coupon_id="c", reason=Reason.TOO_MANY, most=3)) == "本单最多同时使用 3 张券"
    assert texts.for_member(Verdict(coupon_id="c", amount_fen=1)) == ""
