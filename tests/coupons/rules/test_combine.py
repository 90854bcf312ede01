"""Coupons used together: the best set is the best of all sets, and every coupon outside it knows why."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.bench import wallets as issued
from backend.coupons.rules.applies import judge
from backend.coupons.rules.combine import check_chosen, combine
from backend.coupons.types import Channel, CouponKind, Occasion, Reason, Scope, Stacking, Use, Verdict
from tests.coupons.rules.build import (
    AT,
    OCCASION,
    ON,
    baskets,
    best_by_trying_all,
    held,
    line,
    may_be_together,
    occasions,
    taken_together,
    terms,
    tight_wallets,
    wallets,
)

FOOD = Scope(categories=("food",))


def amounts(combination):
    return {use.coupon_id: use.amount_fen for use in combination.uses}


def reasons(combination):
    return {verdict.coupon_id: verdict.reason for verdict in combination.unused}


def test_joint_coupons_add_up():
    helds = [held(terms(face_fen=1000), "a"), held(terms(face_fen=2500), "b")]

    best = combine(helds, [line(payable_fen=10_000)], OCCASION, ON)

    assert (best.amount_fen, amounts(best), best.unused, best.exact) == (3500, {"b": 2500, "a": 1000}, (), True)


def test_an_exclusive_coupon_is_used_alone_where_it_takes_more():
    helds = [held(terms(face_fen=1000), "a"), held(terms(face_fen=2500, stacking=Stacking.EXCLUSIVE), "b")]

    best = combine(helds, [line()], OCCASION, ON)

    assert amounts(best) == {"b": 2500}
    assert best.unused == (Verdict(coupon_id="a", reason=Reason.NOT_TOGETHER, other="b"),)


def test_of_a_group_the_one_that_takes_most_is_used():
    grouped = {"stacking": Stacking.ONE_OF_GROUP, "group": "g"}
    helds = [
        held(terms(face_fen=1000, **grouped), "a"),
        held(terms(face_fen=2500, **grouped), "b"),
        held(terms(face_fen=300), "c"),
    ]

    best = combine(helds, [line()], OCCASION, ON)

    assert amounts(best) == {"b": 2500, "c": 300}
    assert best.unused == (Verdict(coupon_id="a", reason=Reason.NOT_TOGETHER, other="b"),)


def test_no_more_are_used_than_each_of_them_allows():
    helds = [
        held(terms(face_fen=1000, max_together=2), "a"),
        held(terms(face_fen=900), "b"),
        held(terms(face_fen=800), "c"),
        held(terms(face_fen=700), "d"),
    ]

    best = combine(helds, [line()], OCCASION, ON)

    assert amounts(best) == {"b": 900, "c": 800, "d": 700}
    assert best.unused == (Verdict(coupon_id="a", reason=Reason.TOO_MANY, other="a", most=2),)


def test_of_pieces_of_one_offer_those_that_expire_first_are_used():
    helds = [held(terms(max_together=2), name, days=days) for name, days in [("a", 9), ("b", 3), ("c", 5), ("d", 3)]]

    best = combine(helds, [line()], OCCASION, ON)

    assert [use.coupon_id for use in best.uses] == ["b", "d"]
    assert reasons(best) == {"a": Reason.TOO_MANY, "c": Reason.TOO_MANY}


def test_where_all_is_paid_the_fewest_coupons_are_used_and_of_them_the_earliest():
    helds = [
        held(terms(face_fen=face), f"c{face}", days=days) for face, days in [(600, 9), (500, 5), (450, 3), (90, 1)]
    ]

    best = combine(helds, [line(payable_fen=1000)], OCCASION, ON)

    assert best.amount_fen == 1000
    assert amounts(best) == {"c600": 600, "c450": 400}
    assert reasons(best) == {"c500": Reason.ADDS_NOTHING, "c90": Reason.ADDS_NOTHING}


def test_the_narrow_coupon_takes_first_so_that_the_wide_one_finds_other_lines():
    helds = [held(terms(face_fen=1500), "wide"), held(terms(face_fen=1000, scope=FOOD), "food")]
    basket = [line(1, 1000, category="food"), line(2, 1000, category="home")]

    best = combine(helds, basket, OCCASION, ON)

    assert best.uses == (
        Use(coupon_id="food", amount_fen=1000, by_line=((1, 1000),), counted=(1,)),
        Use(coupon_id="wide", amount_fen=1000, by_line=((2, 1000),), counted=(1, 2)),
    )


def test_the_dearest_coupon_is_left_where_two_others_take_more():
    grouped = {"stacking": Stacking.ONE_OF_GROUP, "group": "g"}
    helds = [
        held(terms(face_fen=300, scope=FOOD, **grouped), "dearest"),
        held(terms(face_fen=200, **grouped), "wide"),
        held(terms(face_fen=200, scope=FOOD), "food"),
    ]

    best = combine(helds, [line(1, 300, category="home"), line(2, 300, category="food")], OCCASION, ON)

    assert best.uses == (
        Use(coupon_id="food", amount_fen=200, by_line=((2, 200),), counted=(2,)),
        Use(coupon_id="wide", amount_fen=200, by_line=((1, 150), (2, 50)), counted=(1, 2)),
    )
    assert best.unused == (Verdict(coupon_id="dearest", reason=Reason.NOT_TOGETHER, other="wide"),)


def test_on_the_same_lines_the_balance_is_used_last_because_it_stays():
    value = held(terms(face_fen=5000, partial_use=True), "value")
    helds = [value, held(terms(face_fen=800), "once")]

    best = combine(helds, [line(payable_fen=1000)], OCCASION, ON, chosen=["once"])

    assert amounts(best) == {"once": 800, "value": 200}


def test_the_delivery_fee_is_a_line_of_its_own():
    helds = [held(terms(CouponKind.SHIPPING), "ship"), held(terms(face_fen=5000), "cash")]

    best = combine(helds, [line(payable_fen=3000)], Occasion("S1", Channel.MALL, "silver", AT, 800), ON)

    assert best.amount_fen == 3800
    assert best.uses[0] == Use(coupon_id="ship", amount_fen=800, by_line=((0, 800),), counted=(1,))


def test_a_chosen_coupon_is_among_them_although_others_would_take_more():
    helds = [held(terms(face_fen=3000, stacking=Stacking.EXCLUSIVE), "a"), held(terms(face_fen=500), "b")]

    best = combine(helds, [line()], OCCASION, ON, chosen=["b"])

    assert amounts(best) == {"b": 500}
    assert best.unused == (Verdict(coupon_id="a", reason=Reason.NOT_TOGETHER, other="b"),)


def test_a_chosen_coupon_that_cannot_be_used_says_why_and_the_others_go_on():
    helds = [held(terms(min_spend_fen=20_000), "a"), held(terms(face_fen=500), "b")]

    best = combine(helds, [line()], OCCASION, ON, chosen=["a", "stranger"])

    assert amounts(best) == {"b": 500}
    assert best.unused == (
        Verdict(coupon_id="a", reason=Reason.BELOW_THRESHOLD, missing_fen=10_000),
        Verdict(coupon_id="stranger", reason=Reason.NOT_HELD),
    )


def test_a_threshold_counts_only_what_is_in_scope():
    helds = [held(terms(scope=FOOD, min_spend_fen=5000), "a")]
    basket = [line(1, 4999, category="food"), line(2, 9000, category="home")]

    best = combine(helds, basket, OCCASION, ON)

    assert best.unused == (Verdict(coupon_id="a", reason=Reason.BELOW_THRESHOLD, missing_fen=1),)


def test_of_very_many_coupons_the_dearest_are_searched_and_the_chosen_kept():
    helds = [held(terms(face_fen=1 + number), f"c{number:03}") for number in range(310)]

    best = combine(helds, [line(payable_fen=100_000)], OCCASION, ON, chosen=["c000"])

    assert not best.exact
    assert set(amounts(best)) == {"c000", *(f"c{number:03}" for number in range(11, 310))}
    assert best.amount_fen == 1 + sum(range(12, 311))


def test_no_coupons_take_nothing():
    best = combine([], [line()], OCCASION, ON)

    assert (best.amount_fen, best.uses, best.unused, best.exact) == (0, (), (), True)


# ------------------------------------------------------------------------------------------- coupons the till named


def test_named_coupons_get_their_amounts_and_lines():
    helds = [held(terms(face_fen=999), "a"), held(terms(face_fen=5000), "b")]

    uses = check_chosen(helds, ["a"], [line(1, 2000), line(2, 1000)], OCCASION, ON)

    assert uses == (Use(coupon_id="a", amount_fen=999, by_line=((1, 666), (2, 333)), counted=(1, 2)),)


@pytest.mark.parametrize(
    ("chosen", "refused"),
    [
        (["a", "ghost", "high"], Verdict(coupon_id="ghost", reason=Reason.NOT_HELD)),
        (["high", "ghost"], Verdict(coupon_id="high", reason=Reason.BELOW_THRESHOLD, missing_fen=1)),
        (["a", "alone"], Verdict(coupon_id="alone", reason=Reason.NOT_TOGETHER, other="a")),
        (["alone", "a"], Verdict(coupon_id="a", reason=Reason.NOT_TOGETHER, other="alone")),
        (["a", "a"], Verdict(coupon_id="a", reason=Reason.NOT_TOGETHER, other="a")),
        (["a", "two", "b"], Verdict(coupon_id="b", reason=Reason.TOO_MANY, other="two", most=2)),
        (["all", "b"], Verdict(coupon_id="b", reason=Reason.ADDS_NOTHING)),
    ],
)
def test_of_named_coupons_the_first_that_cannot_be_used_is_refused(chosen, refused):
    helds = [
        held(terms(face_fen=500), "a"),
        held(terms(face_fen=400), "b"),
        held(terms(face_fen=9999), "all"),
        held(terms(face_fen=100, max_together=2), "two"),
        held(terms(stacking=Stacking.EXCLUSIVE), "alone"),
        held(terms(min_spend_fen=10_000), "high"),
    ]

    assert check_chosen(helds, chosen, [line(payable_fen=9_999)], OCCASION, ON) == refused


# ------------------------------------------------------------------------------------------------------- properties


@settings(max_examples=400)
@given(wallets(), baskets(), occasions())
def test_the_best_set_is_the_best_of_all_sets(helds, basket, occasion):
    verdicts = {one.id: judge(one, basket, occasion, ON) for one in helds}

    best = combine(helds, basket, occasion, ON)

    assert best.exact
    assert ({use.coupon_id for use in best.uses}, best.amount_fen) == best_by_trying_all(
        helds, verdicts, basket, occasion
    )


@settings(max_examples=300)
@given(tight_wallets(), baskets(most_fen=500))
def test_the_best_set_is_the_best_of_all_sets_where_coupons_fight_for_lines(helds, basket):
    verdicts = {one.id: judge(one, basket, OCCASION, ON) for one in helds}

    best = combine(helds, basket, OCCASION, ON)

    assert best.exact
    assert ({use.coupon_id for use in best.uses}, best.amount_fen) == best_by_trying_all(
        helds, verdicts, basket, OCCASION
    )


@settings(max_examples=150)
@given(st.sampled_from(issued.FAMILIES), st.integers(0, 10**9), st.integers(1, 97))
def test_the_best_set_of_every_family_of_the_benchmark_is_the_best_of_all_sets(family, seed, dear):
    dice = Random(seed)
    basket = [
        line(one.line_no, 1 + one.payable_fen % (dear * 97), one.sku, one.qty, category=one.category, brand=one.brand)
        for one in issued.basket(dice)[:7]
    ]
    helds = dice.sample(family.make(dice, basket), 8)
    verdicts = {one.id: judge(one, basket, issued.OCCASION, issued.ON) for one in helds}

    best = combine(helds, basket, issued.OCCASION, issued.ON, steps=20_000)

    assert best.exact
    assert ({use.coupon_id for use in best.uses}, best.amount_fen) == best_by_trying_all(
        helds, verdicts, basket, issued.OCCASION
    )


@settings(max_examples=150)
@given(wallets(most=6), baskets(), occasions(), st.data())
def test_the_best_set_with_chosen_coupons_is_the_best_of_all_that_hold_them(helds, basket, occasion, data):
    verdicts = {one.id: judge(one, basket, occasion, ON) for one in helds}
    chosen = data.draw(st.lists(st.sampled_from([one.id for one in helds]), max_size=2)) if helds else []
    refused = check_chosen(helds, list(dict.fromkeys(chosen)), basket, occasion, ON)

    best = combine(helds, basket, occasion, ON, chosen)

    if isinstance(refused, Verdict):
        assert any(verdict.coupon_id == refused.coupon_id for verdict in best.unused)
    else:
        used = {use.coupon_id for use in best.uses}
        assert (used, best.amount_fen) == best_by_trying_all(helds, verdicts, basket, occasion, chosen)


@given(wallets(most=12), baskets(), occasions())
def test_every_coupon_is_used_or_knows_why_not(helds, basket, occasion):
    verdicts = {one.id: judge(one, basket, occasion, ON) for one in helds}

    best = combine(helds, basket, occasion, ON)

    used = [one for one in helds if one.id in amounts(best)]
    assert may_be_together(used)
    assert sorted([*amounts(best), *reasons(best)]) == sorted(one.id for one in helds)
    for one in helds:
        reason = reasons(best).get(one.id)
        if one.id in amounts(best):
            continue
        assert (reason == verdicts[one.id].reason) if verdicts[one.id].reason else True
        if reason in {Reason.NOT_TOGETHER, Reason.TOO_MANY}:
            assert not may_be_together([*used, one])
        elif reason is Reason.ADDS_NOTHING:
            taken = taken_together([*used, one], verdicts, basket, occasion)
            assert may_be_together([*used, one])
            assert sum(sum(parts.values()) for parts in taken.values()) <= best.amount_fen


@given(wallets(most=12), baskets(), occasions())
def test_no_line_gives_more_than_it_costs_and_shares_are_those_of_the_plain_reading(helds, basket, occasion):
    verdicts = {one.id: judge(one, basket, occasion, ON) for one in helds}

    best = combine(helds, basket, occasion, ON)

    plain = taken_together([one for one in helds if one.id in amounts(best)], verdicts, basket, occasion)
    given_by_line: dict[int, int] = {}
    for use in best.uses:
        assert dict(use.by_line) == {line_no: part for line_no, part in plain[use.coupon_id].items() if part}
        assert sum(part for _, part in use.by_line) == use.amount_fen <= verdicts[use.coupon_id].amount_fen
        for line_no, part in use.by_line:
            given_by_line[line_no] = given_by_line.get(line_no, 0) + part
    payable = {one.line_no: one.payable_fen for one in basket} | {0: occasion.shipping_fen}
    assert all(part <= payable[line_no] for line_no, part in given_by_line.items())
    assert sum(given_by_line.values()) == best.amount_fen


@given(wallets(most=8), baskets(), occasions())
def test_used_as_suggested_the_coupons_take_what_was_suggested(helds, basket, occasion):
    best = combine(helds, basket, occasion, ON)

    assert check_chosen(helds, [use.coupon_id for use in best.uses], basket, occasion, ON) == best.uses


@given(wallets(most=10), baskets(), occasions())
def test_a_search_cut_short_still_gives_a_set_that_can_be_used(helds, basket, occasion):
    best = combine(helds, basket, occasion, ON, steps=0)

    assert may_be_together([one for one in helds if one.id in amounts(best)])
    assert check_chosen(helds, list(amounts(best)), basket, occasion, ON) == best.uses
