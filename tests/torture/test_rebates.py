"""What a month of purchases is worth, by the oracle's own algorithm, and the lies it finds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.torture.domains.rebates import BACK, BOUGHT, LATE, MONTHS, STATEMENTS, compare, rebate_of

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
TRUE: dict[str, Any] = {
    MONTHS: [(NOVEMBER, "paid")],
    BOUGHT: [(1, "a", NOVEMBER, 5_000), (1, "b", NOVEMBER, 2_000), (1, "c", DECEMBER, 9_999), (2, "d", NOVEMBER, 100)],
    BACK: [("a", 1_000)],
    STATEMENTS: [("B1", 1, 240, 0, True, "paid"), ("B2", 2, 0, 2, False, "paid")],
    LATE: [],
}


@pytest.mark.parametrize(("fen", "worth"), [(0, 0), (2_999, 59), (3_000, 60), (6_000, 240), (30_000, 1_500)])
def test_two_rates_and_a_cap(fen, worth):
    assert rebate_of(fen) == worth


def test_what_was_given_is_what_purchases_are_worth():
    assert list(compare([1, 2, 3], TRUE)) == []


@pytest.mark.parametrize(
    "lie",
    [
        {STATEMENTS: [("B1", 1, 241, 0, True, "paid"), ("B2", 2, 0, 2, False, "paid")]},
        {STATEMENTS: [("B2", 2, 0, 2, False, "paid")]},
        {STATEMENTS: [*TRUE[STATEMENTS], ("B3", 1, 240, 0, True, "paid")]},
        {BACK: []},
    ],
)
def test_a_lie_is_found(lie):
    (found,) = compare([1, 2], TRUE | lie)

    assert found.startswith("member 1: rebate statements gave")


def test_what_waits_for_the_next_statement_is_not_judged():
    assert list(compare([1, 2], TRUE | {BACK: [], LATE: [(1,)]})) == []
