"""Integers over lines and over parties: nothing is lost, nobody gives what he has not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.coupons.rules import costs
from backend.coupons.rules.allocate import drain, lower, take
from backend.coupons.types import CostShare, Party


@pytest.mark.parametrize(
    ("amount", "left", "parts"),
    [
        (1000, [1000, 1000, 1000], [333, 333, 334]),
        (100, [5000, 3000, 2000], [50, 30, 20]),
        (10, [7, 0, 3], [7, 0, 3]),
        (99, [7, 0, 3], [7, 0, 3]),
        (5, [1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]),
        (1, [999, 1, 0], [0, 1, 0]),
        (2, [5, 0, 0], [2, 0, 0]),
        (3, [0, 0], [0, 0]),
    ],
)
def test_an_amount_over_lines_by_hand(amount, left, parts):
    after = [before - part for before, part in zip(left, parts, strict=True)]

    assert take(amount, range(len(left)), left) == parts
    assert left == after


def test_only_the_coupons_own_lines_give():
    left = [100, 100, 100]

    assert take(150, (0, 2), left) == [75, 75]
    assert left == [25, 100, 25]


@given(st.integers(0, 10**11), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_lines_give_the_whole_amount_in_proportion_and_none_more_than_it_has(amount, before):
    left = list(before)

    parts = take(amount, range(len(left)), left)

    total = sum(before)
    assert sum(parts) == min(amount, total)
    assert all(0 <= part <= had for part, had in zip(parts, before, strict=True))
    assert left == [had - part for part, had in zip(parts, before, strict=True)]
    assert all(
        abs(part * total - min(amount, total) * had) <= len(before) * total
        for part, had in zip(parts, before, strict=True)
    )


SHARED = (CostShare(Party.HEAD_OFFICE, 5000), CostShare(Party.STORE, 2500), CostShare(Party.SUPPLIER, 2500, "S7"))


def test_a_cost_over_parties_by_hand():
    assert costs.split(999, SHARED, "B12") == {"head_office": 500, "store/B12": 250, "supplier/S7": 249}
    assert costs.split(1, SHARED, "B12") == {"head_office": 1, "store/B12": 0, "supplier/S7": 0}
    assert costs.split(10, (CostShare(Party.COUNTER, 10_000, "K1"),), "B12") == {"counter/K1": 10}


@st.composite
def cost_shares(draw):
    cuts = sorted(draw(st.sets(st.integers(1, 9_999), max_size=9)))
    shares = [high - low for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    return tuple(CostShare(Party.SUPPLIER, share, f"S{position}") for position, share in enumerate(shares))


@given(st.integers(0, 10**11), cost_shares())
def test_parties_bear_the_whole_amount_by_their_shares(amount, cost):
    parts = costs.split(amount, cost, "B12")

    assert sum(parts.values()) == amount
    for share in cost:
        assert abs(parts[f"supplier/{share.code}"] * 10_000 - amount * share.share_bp) < len(cost) * 10_000


@given(st.lists(st.integers(0, 9_999), max_size=8), cost_shares())
def test_parts_one_after_the_other_are_the_parts_of_the_whole_and_none_is_negative(amounts, cost):
    total: dict[str, int] = {}
    before = 0
    for amount in amounts:
        parts = costs.split_further(before, amount, cost, "B12")
        before += amount
        assert sum(parts.values()) == amount
        assert min(parts.values()) >= 0
        total = {party: total.get(party, 0) + part for party, part in parts.items()}

    assert not amounts or total == costs.split(before, cost, "B12")


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.integers(0, 2_000), st.data())
def test_the_shorter_ways_take_as_much_and_leave_as_much(payable, amount_fen, data):
    lines = sorted(data.draw(st.sets(st.integers(0, len(payable) - 1), min_size=1)))
    by_shares, lowered, drained = list(payable), list(payable), list(payable)

    taken = sum(take(amount_fen, lines, by_shares))

    assert lower(amount_fen, lines, lowered) == drain(amount_fen, lines, drained) == taken
    assert lowered == by_shares
    assert sum(drained) == sum(by_shares)
    assert all(0 <= rest <= before for rest, before in zip(drained, payable, strict=True))
