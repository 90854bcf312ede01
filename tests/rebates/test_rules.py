"""What purchases come to under schemes, and what a statement pays of it: pure."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rebates.rules import accrual, periods, settling
from backend.rebates.types import Line, Paid, PeriodKind, Piece, Terms, Tier, Tiers, Whose
from tests.support.rebates import applied, bought

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def of(**terms):
    return applied(first=FIRST, last=LAST, **terms)


def fen_of(scheme, *purchases, back=None):
    (part,) = accrual.accrue([scheme], purchases, back or {})
    return part.fen


@pytest.mark.parametrize(
    ("kind", "on", "first", "last", "title"),
    [
        (PeriodKind.MONTH, date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28), "2026年2月"),
        (PeriodKind.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31), "2026年12月"),
        (PeriodKind.QUARTER, date(2026, 11, 5), date(2026, 10, 1), date(2026, 12, 31), "2026年第4季度"),
        (PeriodKind.QUARTER, date(2026, 3, 31), date(2026, 1, 1), date(2026, 3, 31), "2026年第1季度"),
        (PeriodKind.YEAR, date(2024, 2, 29), date(2024, 1, 1), date(2024, 12, 31), "2024年"),
    ],
)
def test_a_day_lies_in_one_period_of_each_kind(kind, on, first, last, title):
    period = periods.period_of(kind, on)

    assert (period.first, period.last, periods.title(period), periods.span(first, last)) == (first, last, title, title)
    assert periods.after(periods.before(period)) == period
    assert periods.before(period).last == first - timedelta(days=1)


@pytest.mark.parametrize(
    ("mode", "base", "tier", "fen"),
    [
        (Tiers.MARGINAL, 0, 0, 0),
        (Tiers.MARGINAL, 99_999, 0, 1999),
        (Tiers.MARGINAL, 100_000, 1, 2000),
        (Tiers.MARGINAL, 150_000, 1, 4500),
        (Tiers.MARGINAL, 10**11, 1, 4_999_997_000),
        (Tiers.WHOLE, 99_999, 0, 1999),
        (Tiers.WHOLE, 100_000, 1, 5000),
        (Tiers.WHOLE, 150_001, 1, 7500),
    ],
)
def test_tiers_give_their_rate_on_their_part_or_on_all_of_it(mode, base, tier, fen):
    terms = Terms(tiers=(Tier(0, 200), Tier(100_000, 500)), mode=mode)

    assert accrual.amount(terms, base) == (tier, fen, False)


def test_below_the_first_tier_there_is_nothing_and_the_cap_cuts():
    terms = Terms(tiers=(Tier(10_000, 1000),), mode=Tiers.WHOLE, cap_fen=1500)

    assert accrual.amount(terms, 9_999) == (accrual.NONE, 0, False)
    assert accrual.amount(terms, 15_000) == (0, 1500, False)
    assert accrual.amount(terms, 15_010) == (0, 1500, True)
    assert accrual.next_tier(terms, 9_999) == Tier(10_000, 1000)
    assert accrual.next_tier(terms, 10_000) is None


def test_only_what_was_paid_by_what_counts_is_a_net_sale():
    purchase = bought(
        "a",
        FIRST,
        0,
        paid={
            Paid.MONEY: 1000,
            Paid.PRINCIPAL: 2000,
            Paid.BONUS: 500,
            Paid.POINTS: 300,
            Paid.REBATE: 200,
            Paid.GIFT_CARD: 1000,
        },
        lines=(Line(1, "drinks", "A", 4000, 1000), Line(2, "fruit", None, 2000, 0)),
    )

    # 6,000 less a coupon of 1,000; bonus, points and rebate (1,000) are shared by 3,000 and 2,000: 2,400 and 1,600
    assert accrual.counted_fen(of().terms, purchase, {}) == 4000
    assert accrual.counted_fen(of(categories=("drinks",)).terms, purchase, {}) == 2400
    assert accrual.counted_fen(of(not_categories=("drinks",)).terms, purchase, {}) == 1600
    assert accrual.counted_fen(of(brands=("A",)).terms, purchase, {}) == 2400
    assert accrual.counted_fen(of(not_brands=("A",)).terms, purchase, {}) == 1600
    assert accrual.counted_fen(of(counts=(Paid.MONEY, Paid.PRINCIPAL)).terms, purchase, {}) == 3000
    assert accrual.counted_fen(of(counts=tuple(Paid)).terms, purchase, {}) == 6000
    assert accrual.counted_fen(of(counts=(Paid.COUPON,)).terms, purchase, {}) == 1000


def test_a_line_that_comes_back_takes_its_share_and_the_last_piece_the_rest():
    purchase = bought("a", FIRST, 0, paid={Paid.MONEY: 500, Paid.BONUS: 500}, lines=(Line(1, None, None, 1000, 0),))

    left = [accrual.counted_fen(of().terms, purchase, {1: back}) for back in (0, 1, 333, 999, 1000, 2000)]

    assert left == [500, 500, 334, 1, 0, 0]


def test_delivery_never_counts():
    purchase = bought(
        "a", FIRST, 0, paid={Paid.MONEY: 1500}, lines=(Line(0, None, None, 500, 0), Line(1, None, None, 1000, 0))
    )

    assert accrual.counted_fen(of().terms, purchase, {}) == 1000


@pytest.mark.parametrize(
    ("terms", "more", "counts"),
    [
        ({"stores": ("S1",)}, {"store": "S1"}, True),
        ({"stores": ("S1",)}, {"store": "S2"}, False),
        ({"not_stores": ("S2",)}, {"store": "S2"}, False),
        ({"levels": ("gold",)}, {"level": "gold"}, True),
        ({"levels": ("gold",)}, {"level": "silver"}, False),
        ({"groups": ("G1",)}, {"group_id": "G1"}, True),
        ({"groups": ("G1",)}, {}, False),
        ({"key_accounts": True}, {"key_account": True}, True),
        ({"key_accounts": True}, {}, False),
        ({"for_owner": True}, {}, True),
        ({"for_owner": True}, {"whose": Whose.SHARED}, False),
        ({"for_owner": True}, {"whose": Whose.PEOPLE}, True),
        ({}, {"whose": Whose.SHARED}, True),
        ({}, {"whose": Whose.PEOPLE}, False),
    ],
)
def test_a_scheme_is_about_some_stores_and_some_buyers(terms, more, counts):
    assert bool(fen_of(of(**terms), bought("a", FIRST, 10_000, **more))) is counts


def test_only_days_of_the_scheme_count():
    scheme = applied(first=FIRST + timedelta(days=4), last=LAST - timedelta(days=4))
    days = [FIRST + timedelta(days=3), scheme.first, scheme.last, LAST - timedelta(days=3)]

    given_ = [fen_of(scheme, bought("a", on, 10_000)) for on in days]

    assert given_ == [0, 200, 200, 0]


def test_of_schemes_that_do_not_stack_the_best_one_gives_and_all_that_stack():
    schemes = [
        applied("low", first=FIRST, last=LAST, tiers=((0, 100),)),
        applied("best", first=FIRST, last=LAST, tiers=((0, 300),), priority=9),
        applied("same", first=FIRST, last=LAST, tiers=((0, 300),), priority=8),
        applied("plus", first=FIRST, last=LAST, tiers=((0, 50),), stackable=True),
    ]

    parts = accrual.accrue(schemes, [bought("a", FIRST, 10_000)], {})

    assert [(part.scheme_id, part.fen, part.won, part.given_fen) for part in parts] == [
        ("low", 100, False, 0),
        ("best", 300, False, 0),
        ("same", 300, True, 300),
        ("plus", 50, True, 50),
    ]


def test_each_store_bears_its_share_and_the_shares_are_all_of_it():
    purchases = [bought("a", FIRST, 3_333, store="S1"), bought("b", FIRST, 6_667, store="S2")]

    (part,) = accrual.accrue([of(tiers=((0, 123),))], purchases, {})

    assert (part.fen, part.bases, part.stores) == (123, {"S1": 3_333, "S2": 6_667}, {"S1": 41, "S2": 82})


@st.composite
def shopping(draw):
    """Purchases of some lines, paid somehow, and what came back of them, as events in any order."""
    purchases, back = [], {}
    for number in range(draw(st.integers(0, 5))):
        costs = draw(st.lists(st.integers(0, 50_000), min_size=1, max_size=4))
        coupons = [draw(st.integers(0, cost)) for cost in costs]
        left = sum(costs) - sum(coupons)
        paid = {}
        for kind in (Paid.PRINCIPAL, Paid.BONUS, Paid.POINTS, Paid.REBATE, Paid.GIFT_CARD):
            paid[kind] = draw(st.integers(0, left))
            left -= paid[kind]
        paid[Paid.MONEY] = left
        lines = tuple(Line(at + 1, None, None, *pair) for at, pair in enumerate(zip(costs, coupons, strict=True)))
        on = FIRST + timedelta(days=draw(st.integers(0, 29)))
        store = draw(st.sampled_from(["S1", "S2", "S3"]))
        purchases.append(bought(str(number), on, 0, store=store, paid=paid, lines=lines))
        back[str(number)] = {line.line_no: draw(st.integers(0, line.payable_fen)) for line in lines}
    return purchases, back


@st.composite
def terms_of(draw):
    """Some terms."""
    froms = sorted(draw(st.sets(st.integers(0, 100_000), min_size=1, max_size=4)))
    tiers = tuple((start, draw(st.integers(0, 2_000))) for start in froms)
    return {
        "tiers": tiers,
        "mode": draw(st.sampled_from(Tiers)),
        "counts": tuple(sorted(draw(st.sets(st.sampled_from(Paid), min_size=1)))),
        "cap_fen": draw(st.none() | st.integers(1, 5_000)),
        "stackable": draw(st.booleans()),
    }


@settings(max_examples=60)
@given(shopping(), st.lists(terms_of(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_nothing_is_lost(shop, many, random):
    purchases, back = shop
    schemes = [applied(str(at), first=FIRST, last=LAST, **terms) for at, terms in enumerate(many)]
    mixed = random.sample(purchases, len(purchases))

    parts = accrual.accrue(schemes, purchases, back)

    assert [(one.base_fen, one.tier, one.fen, one.stores, one.won) for one in parts] == [
        (one.base_fen, one.tier, one.fen, one.stores, one.won) for one in accrual.accrue(schemes, mixed, back)
    ]
    for scheme, part in zip(schemes, parts, strict=True):
        assert sum(part.stores.values()) == part.fen <= (scheme.terms.cap_fen or 10**12)
        assert 0 <= part.base_fen <= sum(line.payable_fen for one in purchases for line in one.lines)
    assert (
        len([part for part in parts if part.won and part.fen and not schemes[int(part.scheme_id)].terms.stackable]) <= 1
    )
    whole = {one.id: {line.line_no: line.payable_fen for line in one.lines} for one in purchases}
    assert all(part.base_fen == part.fen == 0 for part in accrual.accrue(schemes, purchases, whole))


pieces = st.lists(
    st.builds(Piece, st.sampled_from("AB"), st.sampled_from(["S1", "S2"]), st.integers(-500, 1000), st.just(12)),
    max_size=8,
)


@given(pieces, st.integers(0, 800))
def test_what_is_paid_and_carried_is_what_pieces_come_to(many, least):
    together = settling.add_up(many)

    settled = settling.settle(together, least)

    total = sum(piece.fen for piece in many)
    assert settled.payout_fen + settled.carried_fen == total
    assert sum(piece.fen for piece in settled.costs) == settled.payout_fen
    assert settled.payout_fen == 0 or settled.payout_fen >= max(least, 1)
    assert all(piece.fen > 0 for piece in settled.paid)
    assert not (settled.paid and settled.carried)
    assert total <= 0 or total < least or not settled.carried


@given(pieces, pieces)
def test_a_correction_is_what_is_missing(now, was):
    assert settling.add_up(was, settling.differ(now, was)) == tuple(
        piece for piece in settling.add_up(was, settling.differ(now, was)) if piece.fen
    )
    left = {(one.scheme_id, one.store_id): one.fen for one in settling.add_up(was, settling.differ(now, was))}
    assert left == {(one.scheme_id, one.store_id): one.fen for one in settling.add_up(now)}


def test_the_least_is_the_smallest_of_what_gives_and_the_last_statement_knows_none():
    month = [
        applied("A", first=FIRST, last=LAST, min_payout_fen=500),
        applied("B", first=FIRST, last=LAST, min_payout_fen=300),
        applied("C", first=FIRST, last=LAST, ends=True, min_payout_fen=900),
    ]

    assert settling.least_fen(month, [Piece("A", "S1", 10, 12)], {}) == 500
    assert settling.least_fen(month, [Piece("A", "S1", 10, 12), Piece("B", "S1", 10, 12)], {}) == 300
    assert settling.least_fen(month, [Piece("A", "S1", 10, 12), Piece("B", "S1", -10, 12)], {}) == 500
    assert settling.least_fen(month, [Piece("A", "S1", 10, 12), Piece("C", "S1", 1, 12)], {}) == 0
    assert settling.least_fen(month, [Piece("gone", "S1", 10, 12)], {}) == 0
    assert settling.least_fen(month, [Piece("quarter's", "S1", 10, 12)], {"quarter's": 700}) == 700


def test_what_is_owed_is_taken_off_what_gives_and_each_store_bears_its_own():
    owed = (Piece("A", "S1", -100, 12), Piece("A", "S2", 300, 12), Piece("B", "S1", 100, 6))

    settled = settling.settle(owed, 0)

    assert settled.paid == (Piece("A", "S2", 225, 12), Piece("B", "S1", 75, 6))
    assert settled.costs == owed
