"""What a line costs: the best for the member of the level's discount and the offers that compete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.sales.rules.pricing import best_offer, price_lines
from backend.sales.types import Line, LineOffer


@pytest.mark.parametrize(
    ("level_bp", "offers", "off"),
    [
        (500, [], (500, None)),
        (500, [LineOffer("a/1", 500)], (500, None)),  # as good as the level alone: the level's
        (500, [LineOffer("a/1", 2_000)], (2_000, "a/1")),
        (3_000, [LineOffer("a/1", 2_000)], (3_000, None)),
        (500, [LineOffer("a/1", 2_000, stackable=True)], (2_400, "a/1")),
        (500, [LineOffer("a/1", 2_000), LineOffer("b/1", 1_900, stackable=True)], (2_305, "b/1")),
        (500, [LineOffer("a/1", 0, 700)], (1_400, "a/1")),
        (500, [LineOffer("a/1", 0, 9_000)], (10_000, "a/1")),
        (0, [LineOffer("a/1", 100), LineOffer("b/1", 100)], (100, "a/1")),
    ],
)
def test_the_best_for_the_member(level_bp, offers, off):
    assert best_offer(10_000, 2, level_bp, offers) == off


offer = st.builds(
    LineOffer,
    st.sampled_from(["a/1", "b/2", "c/3"]),
    st.integers(0, 10_000),
    st.integers(0, 5_000),
    stackable=st.booleans(),
)


@given(st.integers(0, 10**7), st.integers(1, 50), st.integers(0, 10_000), st.lists(offer, max_size=4))
def test_a_rule_never_costs_a_member_anything_and_never_takes_more_than_there_is(base, qty, level_bp, offers):
    off, rule = best_offer(base, qty, level_bp, offers)

    alone = base * level_bp // 10_000
    assert alone <= off <= base
    assert (rule is None) == (off == alone)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 10_000)), min_size=1, max_size=5), st.integers(0, 10_000))
def test_without_rules_prices_are_the_contract_s(lines, bp):
    made = [Line("a", qty, fen) for qty, fen in lines]

    priced = price_lines(made, discount_bp=bp)

    assert [line.member_discount_fen for line in priced.lines] == [qty * fen * bp // 10_000 for qty, fen in lines]
    assert priced == price_lines(made, discount_bp=bp, offers=[() for _ in made])
