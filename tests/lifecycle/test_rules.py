"""What a standing follows from, without a database: worked examples, and what holds for any story."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.lifecycle.rules import counting, looking, stages
from backend.lifecycle.rules.standing import due_on, last_day
from backend.lifecycle.types import (
    Change,
    Facts,
    Fall,
    LevelRule,
    Match,
    Period,
    PeriodKind,
    Programme,
    Purchase,
    Return,
    Rung,
    StageRule,
    Thresholds,
    Totals,
    Why,
    Window,
    WindowKind,
)
from backend.members.types import Level, Stage

BEGAN = date(2026, 1, 1)
YEAR = Window(kind=WindowKind.MONTHS, months=12)
HELD = Period(kind=PeriodKind.MONTHS, months=12)
SILVER = LevelRule(reach=Thresholds(spend_fen=1_000), window=YEAR, period=HELD)
GOLD = LevelRule(
    reach=Thresholds(spend_fen=5_000), keep=Thresholds(spend_fen=4_000), window=YEAR, period=HELD, grace_days=7
)


def at(on: date, hour: int = 4) -> datetime:
    return datetime.combine(on, time(hour), UTC)


def day(number: int) -> date:
    return BEGAN + timedelta(days=number)


def bought(number: int, fen: int, name: str = "", points: int = 0) -> Purchase:
    return Purchase(name or f"s{number}", at(day(number)), day(number), fen, points)


def back(number: int, sale: str, fen: int) -> Return:
    return Return(f"r{number}{sale}", sale, at(day(number), 5), day(number), fen, 0)


def chain(**rules: LevelRule) -> looking.Chain:
    rungs = [Rung("basic", LevelRule()), *(Rung(code, rule) for code, rule in rules.items())]
    return looking.Chain([Programme(1, at(BEGAN), dict(rules))], {1: rungs}, lambda instant: instant.date())


def seen(
    told: looking.Chain, *facts: Purchase | Return, now: int, level: str = "basic", **more: object
) -> looking.Seen:
    purchases = tuple(sorted((one for one in facts if isinstance(one, Purchase)), key=lambda one: (one.at, one.id)))
    returns = tuple(one for one in facts if isinstance(one, Return))
    return looking.look(
        told,
        looking.first_base(told, "basic", at(BEGAN)),
        Facts(BEGAN, purchases, returns, **more),  # type: ignore[arg-type]
        at(day(now), 6),
    )


def steps(found: looking.Seen) -> list[tuple[Why, str, str]]:
    return [(one.why, one.source, one.level) for one in found.changes]


CHAIN = chain(silver=SILVER, gold=GOLD)


def test_a_level_is_reached_at_once_and_held_for_its_period():
    found = seen(CHAIN, bought(10, 600), bought(20, 400), now=20)

    assert (found.standing.level, found.standing.sale_id) == ("silver", "s20")
    assert found.standing.until == date(2027, 1, 20)
    assert due_on(found.standing, CHAIN.rungs[1], day(20)) == date(2027, 1, 21)


def test_the_day_of_the_window_a_year_ago_counts_no_longer():
    exactly = seen(CHAIN, bought(0, 600), bought(364, 400), now=364)
    too_late = seen(CHAIN, bought(0, 600), bought(365, 400), now=365)

    assert (exactly.standing.level, too_late.standing.level) == ("silver", "basic")


def test_only_the_return_of_the_purchase_that_brought_it_takes_a_level_back():
    sold = (bought(10, 2_000, "a"), bought(20, 3_500, "b"))
    other = seen(CHAIN, *sold, back(30, "a", 2_000), now=40)
    own = seen(CHAIN, *sold, back(30, "b", 501), now=40)
    little = seen(CHAIN, *sold, back(30, "b", 500), now=40)
    afterwards = seen(CHAIN, *sold, back(30, "b", 100), back(31, "a", 2_000), now=40)
    all_of_it = seen(CHAIN, *sold, back(30, "b", 3_500), back(31, "a", 2_000), now=40)

    assert (other.standing.level, own.standing.level, little.standing.level) == ("gold", "silver", "gold")
    assert own.standing.until == date(2027, 1, 10)
    assert afterwards.standing.level == "gold"
    assert steps(all_of_it)[2:] == [(Why.TAKEN_BACK, "gold", "silver"), (Why.TAKEN_BACK, "silver", "basic")]


def test_purchases_that_come_back_one_after_the_other_leave_no_level_behind():
    sold = (bought(10, 1_000, "a"), bought(20, 5_000, "b"), bought(30, 5_000, "c"))
    first = seen(CHAIN, *sold, back(40, "b", 5_000), now=50)
    both = seen(CHAIN, *sold, back(40, "b", 5_000), back(41, "c", 5_000), now=50)
    all_of_it = seen(CHAIN, *sold, back(39, "a", 1_000), back(40, "b", 5_000), back(41, "c", 5_000), now=50)
    same_day = seen(
        CHAIN, bought(20, 5_000, "b"), bought(20, 5_000, "c"), back(20, "b", 5_000), back(20, "c", 5_000), now=20
    )

    assert (first.standing.level, first.standing.sale_id, first.standing.start) == ("gold", "c", day(20))
    assert (both.standing.level, both.standing.until) == ("silver", date(2027, 1, 10))
    assert (all_of_it.standing.level, same_day.standing.level) == ("basic", "basic")


def test_a_return_years_later_takes_from_the_day_of_its_purchase_not_from_today():
    found = seen(CHAIN, bought(10, 4_000, "old"), bought(900, 1_000, "new"), back(901, "old", 4_000), now=901)

    assert (found.standing.level, found.standing.sale_id) == ("silver", "new")


def test_a_return_goes_back_through_every_level_that_its_purchase_left():
    found = seen(
        CHAIN, bought(10, 1_000, "a"), bought(20, 4_500, "b"), back(30, "a", 1_000), back(31, "b", 4_500), now=40
    )

    assert steps(found)[2:] == [(Why.TAKEN_BACK, "gold", "basic")]


def test_a_level_is_kept_by_what_is_bought_within_the_period_or_the_grace():
    sold = bought(0, 5_000)
    none = seen(CHAIN, sold, now=372)
    waiting = seen(CHAIN, sold, now=371)
    kept = seen(CHAIN, sold, bought(100, 4_000), now=400)
    in_grace = seen(CHAIN, sold, bought(100, 3_999), bought(371, 1), now=400)
    promoting = seen(CHAIN, bought(0, 9_000), now=372)
    split = seen(CHAIN, bought(0, 4_500, "a"), bought(0, 4_500, "b"), now=372)

    assert (none.standing.level, none.standing.since, none.standing.until) == ("silver", day(372), date(2028, 1, 7))
    assert (waiting.standing.level, waiting.standing.until) == ("gold", date(2026, 12, 31))
    for found in (kept, in_grace):
        assert (found.standing.level, found.standing.start, found.standing.until) == (
            "gold",
            date(2027, 1, 1),
            date(2027, 12, 31),
        )
    assert (promoting.standing.level, split.standing.level) == ("silver", "silver")


def test_one_falls_a_step_or_to_what_the_balance_reaches():
    balance = chain(
        silver=LevelRule(reach=Thresholds(spend_fen=1_000), window=Window(kind=WindowKind.YEAR), period=HELD),
        gold=LevelRule(reach=Thresholds(spend_fen=5_000), window=YEAR, period=HELD, fall=Fall.BALANCE),
    )

    assert seen(balance, bought(10, 5_000), now=376).standing.level == "basic"
    assert seen(balance, bought(10, 5_000), bought(370, 1_000), now=376).standing.level == "silver"


def test_any_or_all_of_spending_points_and_purchases():
    either = Thresholds(spend_fen=100, purchases=3, match=Match.ANY)
    both = Thresholds(spend_fen=100, purchases=3)

    have = (Totals(100, 0, 1), Totals(99, 0, 3), Totals(100, 0, 3), Totals(99, 9_999, 2))
    assert [counting.met(either, one) for one in have] == [True, True, True, False]
    assert [counting.met(both, one) for one in have] == [False, False, True, False]
    assert not counting.met(None, have[2])


def test_periods_end_at_a_month_or_a_calendar_year():
    month, year = (Period(kind=PeriodKind.MONTHS, months=months) for months in (1, 12))
    assert [last_day(month, date(2026, 1, first)).day for first in (28, 29, 30, 31)] == [27, 28, 28, 28]
    assert last_day(year, date(2028, 2, 29)) == date(2029, 2, 28)
    assert last_day(year, date(2027, 3, 1)) == date(2028, 2, 29)
    assert last_day(Period(kind=PeriodKind.YEAR, months=0), date(2026, 3, 5)) == date(2026, 12, 31)
    assert last_day(Period(kind=PeriodKind.YEAR, months=12), date(2026, 3, 5)) == date(2027, 12, 31)
    assert last_day(Period(), date(2026, 3, 5)) is None


def test_windows_of_joining_and_of_everything():
    ever = chain(silver=LevelRule(reach=Thresholds(spend_fen=1_000)))
    joined = chain(silver=LevelRule(reach=Thresholds(spend_fen=1_000), window=Window(kind=WindowKind.JOINED)))

    for brought in ({"brought_fen": 900}, {"older": Totals(900, 0, 3)}):
        assert seen(ever, bought(1, 100), now=2, **brought).standing.level == "silver"
        assert seen(joined, bought(1, 100), now=2, **brought).standing.level == "basic"
    assert seen(joined, bought(1, 100), now=2, older_joined=Totals(900, 0, 3)).standing.level == "silver"


def test_new_rules_leave_the_period_under_way_alone():
    told = looking.Chain(
        [Programme(1, at(BEGAN), {"silver": SILVER}), Programme(2, at(day(50)), {})],
        {
            1: CHAIN.rungs[1][:2],
            2: [Rung("basic", LevelRule()), Rung("silver", LevelRule(reach=Thresholds(spend_fen=9_999)))],
        },
        lambda instant: instant.date(),
    )

    found = seen(told, bought(10, 1_000), now=60)

    assert (found.standing.level, found.standing.until, found.base.version) == ("silver", None, 2)


_numbers = st.integers(1, 900)
_stories = st.lists(st.tuples(_numbers, st.integers(1, 6_000)), min_size=1, max_size=12)


def _told(story: list[tuple[int, int]], returns: list[tuple[int, int, int]]) -> list[Purchase | Return]:
    sales = [bought(number, fen, f"s{place}") for place, (number, fen) in enumerate(story)]
    return [
        *sales,
        *(
            back(story[place % len(story)][0] + late, f"s{place % len(story)}", min(fen, story[place % len(story)][1]))
            for place, late, fen in returns
        ),
    ]


_returns = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 400), st.integers(1, 6_000)), max_size=5)


@given(story=_stories, returns=_returns, cut=_numbers)
@settings(max_examples=60)
def test_where_the_story_is_cut_in_two_does_not_matter(story, returns, cut):
    facts = _told(story, returns)
    whole = seen(CHAIN, *facts, now=1_300)
    half = seen(CHAIN, *facts, now=cut)
    base = looking.Base(1, half.standing, at(day(cut), 6), judge=False)

    rest = looking.look(
        CHAIN,
        base,
        Facts(
            BEGAN,
            tuple(sorted((one for one in facts if isinstance(one, Purchase)), key=lambda one: (one.at, one.id))),
            tuple(one for one in facts if isinstance(one, Return)),
        ),
        at(day(1_300), 6),
    )

    assert rest.standing == whole.standing
    assert [*half.changes, *rest.changes] == list(whole.changes)


@given(story=_stories, returns=_returns)
@settings(max_examples=60)
def test_levels_go_up_by_purchases_and_down_by_periods_or_the_promoting_return(story, returns):
    found = seen(CHAIN, *_told(story, returns), now=1_300)
    ranks = {"basic": 0, "silver": 1, "gold": 2}

    for one in found.changes:
        up = ranks[one.level] - ranks[one.source]
        assert (up > 0) == (one.why is Why.PROMOTED)
        assert (up == 0) == (one.why is Why.KEPT)
    assert all(first.level == second.source for first, second in zip(found.changes, found.changes[1:], strict=False))
    assert [one.on for one in found.changes] == sorted(one.on for one in found.changes)


def test_only_what_is_behind_what_was_told_is_new():
    one, two, other = (Change(day(n), Why.PROMOTED, "basic", "silver") for n in (1, 2, 3))

    assert looking.untold([one, two], [one]) == ([two], True)
    assert looking.untold([one, other], [one, two]) == ([other], False)


def test_stages_by_the_first_rule_that_holds():
    def stage(*days: int, now: int = 400, more: int = 0) -> Stage:
        return stages.stage_of(stages.DEFAULT, stages.Habits(BEGAN, tuple(day(n) for n in days), more), day(now))

    assert stage() is Stage.POTENTIAL
    assert stage(399) is Stage.NEW
    assert stage(300, 399) is Stage.RETURNING
    assert stage(399, more=5) is Stage.RETURNING
    assert stage(35, 36, 37, 38, 39, 399) is Stage.LOYAL
    assert stage(34, 36, 37, 38, 39, 399) is Stage.RETURNING
    assert (stage(221), stage(220), stage(36), stage(35)) == (Stage.NEW, Stage.DORMANT, Stage.DORMANT, Stage.LOST)


_habits = st.lists(st.integers(0, 800), max_size=8).map(lambda days: tuple(day(n) for n in sorted(days)))


@given(days=_habits, now=st.integers(801, 1_000))
@settings(max_examples=60)
def test_a_stage_stays_until_the_day_that_is_told(days, now):
    rules = (StageRule(stage=Stage.NEW, joined_within_days=830), *stages.DEFAULT)
    habits = stages.Habits(BEGAN, days)
    before = stages.stage_of(rules, habits, day(now))

    following = stages.next_change(rules, habits, day(now))
    last = following - timedelta(days=1) if following else day(now + 2_000)

    assert last >= day(now)
    for on in {last, day(now) + (last - day(now)) // 2}:
        assert stages.stage_of(rules, habits, on) is before


LEVELS = [
    Level("basic", "", 0, 10_000, 0),
    Level("gold", "", 500, 15_000, 100_000),
    Level("top", "", 800, 20_000, 500_000),
]


@pytest.mark.parametrize(
    ("growth_fen", "code"),
    [(-5, "basic"), (0, "basic"), (99_999, "basic"), (100_000, "gold"), (499_999, "gold"), (10**9, "top")],
)
def test_the_highest_level_that_growth_has_reached(growth_fen, code):
    assert looking.by_growth(growth_fen, LEVELS).code == code


@given(story=_stories, returns=_returns, first=_numbers, days=st.integers(0, 500))
@settings(max_examples=60)
def test_a_window_is_the_sum_of_what_is_left_of_its_purchases(story, returns, first, days):
    facts = sorted(_told(story, returns), key=lambda one: (one.at, isinstance(one, Return), one.id))
    told = counting.Ledger(Facts(BEGAN))
    asked = []
    for one in facts:  # what is asked in between must not be what is answered later
        if isinstance(one, Purchase):
            told.buy(one)
        else:
            told.take_back(one.sale_id, one.fen, one.points)
        asked.append(told.between(day(first), day(first + days)))

    sales = [one for one in facts if isinstance(one, Purchase) and day(first) <= one.on <= day(first + days)]
    back = {one.id: sum(two.fen for two in facts if isinstance(two, Return) and two.sale_id == one.id) for one in sales}
    left = [max(0, one.spent_fen - back[one.id]) for one in sales]
    assert asked[-1] == Totals(sum(left), 0, sum(fen > 0 for fen in left))
    for place, one in enumerate(sales, 1):
        assert told.between(day(first), day(first + days), after=one.id).spend_fen == sum(left[place:])


def test_a_purchase_of_a_server_whose_clock_is_ahead_counts_at_once():
    def look(ahead_s: int) -> str:
        fact = Purchase("S1", at(day(10), 6) + timedelta(seconds=ahead_s), day(10), 10**9, 0)
        now = at(day(10), 6)
        facts = Facts(BEGAN, (fact,), ())
        return looking.look(CHAIN, looking.first_base(CHAIN, "basic", at(BEGAN)), facts, now).standing.level

    assert look(1) == look(299) == look(-1) != "basic"
    assert look(301) == "basic"
