"""Days, chance, comparisons and words: without a database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.care import rules
from backend.care.types import Given, Group

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("done_on", "hour_come", "days"),
    [
        (None, True, [0]),
        (None, False, []),
        (TODAY, True, []),
        (TODAY - timedelta(days=1), True, [0]),
        (TODAY - timedelta(days=3), False, [-2, -1]),
        (TODAY - timedelta(days=30), True, [-7, -6, -5, -4, -3, -2, -1, 0]),
    ],
)
def test_missed_days_are_made_up_for_a_week_at_most(done_on, hour_come, days):
    found = rules.days_to_run(done_on, TODAY, hour_come=hour_come)

    assert found == [TODAY + timedelta(days=offset) for offset in days]


def test_chance_holds_the_share_out_and_always_the_same_members():
    seed = b"0123456789abcdef"

    held = [member for member in range(20_000) if rules.is_held_out(seed, member, "2026", 1_000)]

    assert 1_800 < len(held) < 2_200  # six standard deviations are 255
    assert held == [member for member in range(20_000) if rules.is_held_out(seed, member, "2026", 1_000)]
    assert held != [member for member in range(20_000) if rules.is_held_out(seed[::-1], member, "2026", 1_000)]
    assert not any(rules.is_held_out(seed, member, "2026", 0) for member in range(1_000))


def group(members: int, bought: int, fen: int = 100) -> Group:
    return Group(members, bought, bought * fen, bought * fen * fen)


def test_an_effect_is_the_difference_with_newcombes_interval():
    """The example of Newcombe's paper, (a): 56 of 70 against 48 of 80, method 10."""
    found = rules.effect(group(70, 56), group(80, 48))

    assert (found.cared_bp, found.held_bp, found.difference_bp) == (8_000, 6_000, 2_000)
    assert (found.low_bp, found.high_bp) == (524, 3_339)
    assert not found.too_few


def test_means_have_an_interval_of_both_variances():
    found = rules.effect(Group(100, 50, 100_000, 200_000_000), Group(100, 20, 40_000, 80_000_000))

    assert (found.cared_mean_fen, found.held_mean_fen, found.difference_fen) == (1_000, 400, 600)
    # variances 100,000,000/99 and 64,000,000/99 of a hundred each: 1.96 * 128.7
    assert (found.low_fen, found.high_fen) == (348, 852)


@pytest.mark.parametrize(
    ("cared", "held", "few"),
    [
        (group(29, 20), group(500, 300), True),
        (group(30, 5), group(30, 4), True),
        (group(30, 5), group(30, 5), False),
        (group(0, 0), group(0, 0), True),
        (group(500, 0), group(500, 0), True),
    ],
)
def test_nothing_is_said_of_few(cared, held, few):
    assert rules.effect(cared, held).too_few is few


def test_an_empty_side_has_no_numbers():
    found = rules.effect(group(50, 20), group(0, 0))

    assert (found.cared_bp, found.held_bp, found.difference_bp, found.low_bp, found.low_fen) == (
        4_000,
        None,
        None,
        None,
        None,
    )


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_interval_holds_the_difference_and_stays_within_all(n1, n2, data):
    found = rules.effect(group(n1, data.draw(st.integers(0, n1))), group(n2, data.draw(st.integers(0, n2))))

    assert found.low_bp is not None
    assert found.high_bp is not None
    assert found.difference_bp is not None
    assert found.low_bp - 1 <= found.difference_bp <= found.high_bp + 1
    assert -10_001 <= found.low_bp <= found.high_bp <= 10_001


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (None, ""),
        (Given(points=100), "送您 100 积分，已放入您的账户。"),
        (Given(points=100, coupon_ids=("C1",)), "送您 100 积分和「生日券」，已放入您的账户。"),
        (Given(refused="coupon_sold_out"), ""),
    ],
)
def test_a_letter_promises_what_was_given(given_, words):
    assert rules.gift_words(given_, {"T1": "生日券"}, "T1") == words
