"""What a purchase earns: the best base rule by line, promotions on top of it only, and never more than their most."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.points.rules.conditions import is_birthday
from backend.points.rules.earning import cap_mark, earn, earn_by_standard, live_at, standard_points
from backend.points.types import (
    Birthday,
    Condition,
    Earning,
    EarningLine,
    Hours,
    Occasion,
    Rule,
    RuleKind,
    Terms,
)

NOON = datetime(2026, 11, 11, 12, 0, tzinfo=UTC)  # a Wednesday
ANY = Condition()


def here(**more):
    plain: dict[str, Any] = {
        "level": "silver",
        "multiplier_bp": 12_000,
        "per_yuan_bp": 10_000,
        "most_times_bp": 50_000,
        "birthday": date(1990, 11, 12),
        "store_id": "S1",
        "at": NOON,
    }
    return Occasion(**plain | more)


def line(number=1, fen=1000, *, sku="A", category="drinks", brand="spring", rate_bp=10_000):
    return EarningLine(number, sku, category, brand, fen, rate_bp)


def base(id_, rate_bp, condition=ANY, *, by_level=True):
    terms = Terms(condition=condition, rate_bp=rate_bp, by_level=by_level)
    return Rule(id=id_, version=1, kind=RuleKind.BASE, title=id_, terms=terms, from_at=NOON)


def promotion(id_, times_bp=10_000, plus=0, condition=ANY, *, stackable=False, day_cap=None):
    terms = Terms(condition=condition, times_bp=times_bp, plus=plus, stackable=stackable, day_cap=day_cap)
    return Rule(id=id_, version=1, kind=RuleKind.PROMOTION, title=id_, terms=terms, from_at=NOON)


def earned(lines, *rules, **more):
    return earn(lines, sum(one.earning_fen for one in lines), Earning(here(**more), rules))


def by(found):
    return [(one.points, one.rule, [(extra.rule, extra.points) for extra in one.extras]) for one in found.lines]


def test_without_rules_the_standard_rule_gives_and_nothing_of_it_is_kept():
    found = earned([line(fen=1999), line(2, 1000, rate_bp=5_000)])

    assert by(found) == [(23, None, []), (6, None, [])]
    assert (found.points, found.kept, found.caps) == (29, (), ())


def test_the_base_rule_that_gives_most_wins_by_line():
    spring = base("spring", 30_000, Condition(brands=("spring",)))
    flat = base("flat", 40_000, by_level=False)
    low = base("low", 1_000)

    found = earned([line(), line(2, brand=None)], spring, flat, low)

    assert by(found) == [(40, "flat/1", []), (40, "flat/1", [])]
    assert by(earned([line(), line(2, brand=None)], spring, low)) == [(36, "spring/1", []), (12, None, [])]


def test_a_line_that_never_earns_gets_nothing_of_any_rule():
    found = earned([line(rate_bp=0), line(2)], base("much", 90_000), promotion("plus", plus=50))

    assert by(found) == [(0, None, []), (158, "much/1", [("plus/1", 50)])]


def test_a_promotion_gives_nothing_where_no_base_rule_gave():
    assert by(earned([line(fen=5)], promotion("plus", plus=50))) == [(0, None, [])]


def test_the_best_promotion_stands_alone_unless_stackable_ones_make_more():
    double, plus = promotion("double", 20_000), promotion("plus", plus=20)
    small, tiny = promotion("small", plus=7, stackable=True), promotion("tiny", 14_000, stackable=True)

    assert by(earned([line()], double, plus)) == [(32, None, [("plus/1", 20)])]
    assert by(earned([line()], double, small, tiny)) == [(24, None, [("double/1", 12)])]
    assert by(earned([line(fen=400)], double, small, tiny)) == [(12, None, [("small/1", 7), ("tiny/1", 1)])]


def test_multipliers_make_no_more_than_the_most_together():
    three, four = promotion("three", 30_000, stackable=True), promotion("four", 40_000, stackable=True)

    assert by(earned([line()], three, four)) == [(60, None, [("three/1", 24), ("four/1", 24)])]
    assert by(earned([line()], promotion("nine", 90_000))) == [(60, None, [("nine/1", 48)])]


def test_the_most_of_a_day_counts_what_was_taken_and_goes_line_by_line():
    double = promotion("double", 20_000, day_cap=30)
    taken = {cap_mark("double", NOON.date()): 10}

    found = earned([line(), line(2)], double, taken=taken)

    assert by(found) == [(24, None, [("double/1", 12)]), (20, None, [("double/1", 8)])]
    assert [(use.mark, use.points, use.cap) for use in found.caps] == [("points:double:2026-11-11", 20, 30)]


def test_where_the_most_is_reached_the_next_best_promotion_gives():
    double, plus = promotion("double", 20_000, day_cap=5), promotion("plus", plus=6)

    assert by(earned([line()], double, plus)) == [(18, None, [("plus/1", 6)])]


@pytest.mark.parametrize(("taken", "three"), [(20, []), (19, [("three/1", 1)])])
def test_what_the_days_most_keeps_back_leaves_room_for_other_multipliers(taken, three):
    first = promotion("three", 30_000, stackable=True, day_cap=20)
    four = promotion("four", 40_000, stackable=True)

    found = earned([line()], first, four, taken={cap_mark("three", NOON.date()): taken})

    assert [(extra.rule, extra.points) for extra in found.lines[0].extras] == [*three, ("four/1", 36)]


def test_every_condition_that_is_said_must_hold():
    said: dict[str, Any] = {
        "categories": ("drinks",),
        "brands": ("spring",),
        "skus": ("A",),
        "stores": ("S1",),
        "levels": ("silver",),
        "weekdays": (3,),
        "month_days": (11,),
        "dates": (date(2026, 11, 11),),
        "hours": (Hours(0, 60), Hours(720, 721)),
        "first_on": date(2026, 11, 11),
        "last_on": date(2026, 11, 11),
        "birthday": Birthday.WEEK,
        "min_fen": 1000,
    }
    other: dict[str, Any] = {
        "categories": ("food",),
        "brands": ("autumn",),
        "skus": ("B",),
        "stores": ("S2",),
        "levels": ("gold",),
        "weekdays": (2, 4),
        "month_days": (12,),
        "dates": (date(2025, 11, 11),),
        "hours": (Hours(600, 720), Hours(721, 1440)),
        "first_on": date(2026, 11, 12),
        "last_on": date(2026, 11, 10),
        "birthday": Birthday.DAY,
        "min_fen": 1001,
    }

    def gives(condition):
        return earned([line()], base("rule", 90_000, condition)).lines[0].rule == "rule/1"

    assert gives(Condition(**said))
    assert [name for name in other if gives(Condition(**said | {name: other[name]}))] == []


def test_birthdays_week_goes_from_monday_to_sunday_and_over_new_year():
    born = date(1990, 1, 2)  # 2027-01-02 is a Saturday

    assert is_birthday(born, Birthday.WEEK, date(2026, 12, 28))
    assert not is_birthday(born, Birthday.WEEK, date(2026, 12, 27))
    assert is_birthday(born, Birthday.WEEK, date(2027, 1, 3))
    assert not is_birthday(born, Birthday.WEEK, date(2027, 1, 4))
    assert not is_birthday(None, Birthday.MONTH, date(2027, 1, 4))
    assert is_birthday(date(1992, 2, 29), Birthday.DAY, date(2027, 2, 28))
    assert not is_birthday(date(1992, 2, 29), Birthday.DAY, date(2028, 2, 28))


def test_a_version_lives_from_its_first_instant_until_before_its_last():
    one = base("one", 10_000)
    ended = Rule(
        id="one",
        version=1,
        kind=RuleKind.BASE,
        title="",
        terms=one.terms,
        from_at=NOON,
        until_at=NOON + timedelta(hours=1),
    )

    assert live_at([ended], NOON) == (ended,)
    assert live_at([ended], NOON - timedelta(seconds=1)) == ()
    assert live_at([ended], NOON + timedelta(hours=1)) == ()


bases = st.builds(base, st.sampled_from("abc"), st.integers(1, 60_000), st.just(ANY), by_level=st.booleans())
promotions = st.builds(
    promotion,
    st.sampled_from("pqrs"),
    st.integers(10_000, 90_000),
    st.integers(0, 60),
    st.just(ANY),
    stackable=st.booleans(),
    day_cap=st.none() | st.integers(1, 60),
)
lines = st.lists(st.tuples(st.integers(0, 90_000), st.sampled_from([0, 5_000, 10_000])), min_size=1, max_size=6)


@given(lines, st.lists(bases, max_size=3), st.lists(promotions, max_size=4, unique_by=lambda rule: rule.id))
@settings(max_examples=200)
def test_no_rule_takes_away_and_no_promotion_exceeds_what_it_may_add(basket, some_bases, some_promotions):
    basket = [line(number, fen, rate_bp=rate) for number, (fen, rate) in enumerate(basket, 1)]
    plain = earned(basket).lines
    assert plain == earn_by_standard([(one.line_no, one.earning_fen, one.rate_bp) for one in basket], here()).lines

    found = earned(basket, *some_bases, *some_promotions)

    assert [one.line_no for one in found.lines] == [one.line_no for one in basket]
    added: dict[str, int] = {}
    for one, before, of in zip(found.lines, plain, basket, strict=True):
        extra = sum(each.points for each in one.extras)
        based = one.points - extra
        assert based >= before.points == standard_points(of.earning_fen, of.rate_bp, 12_000, 10_000)
        assert all(each.points > 0 for each in one.extras)
        if not based:
            assert one.points == 0
        plus = sum(rule.terms.plus for rule in some_promotions if rule.reference in {e.rule for e in one.extras})
        assert extra <= based * 4 + plus
        alone = [rule for rule in some_promotions if not rule.terms.stackable]
        if any(each.rule == rule.reference for each in one.extras for rule in alone):
            assert len(one.extras) == 1
        for each in one.extras:
            added[each.rule] = added.get(each.rule, 0) + each.points
    for rule in some_promotions:
        if rule.terms.day_cap is not None:
            assert added.get(rule.reference, 0) <= rule.terms.day_cap
    assert {use.mark: use.points for use in found.caps} == {
        cap_mark(rule.id, NOON.date()): added[rule.reference]
        for rule in some_promotions
        if rule.terms.day_cap is not None and added.get(rule.reference)
    }
