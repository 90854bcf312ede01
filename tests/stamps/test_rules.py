"""Stamps in numbers, over random sales, refunds and lives of cards."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.stamps import rules
from backend.stamps.types import Earning, Per, SoldBody, SoldCoupon, SoldLine, SoldProgress, SoldTender, Stamps

PIECES = Earning(per=Per.PIECE)


def sale(*lines: tuple[int, int], coupon: int = 0, off: tuple[tuple[int, int], ...] = ()) -> SoldBody:
    """Lines of ``(pieces, payable)``, paid in cash and by a coupon."""
    total = sum(payable for _, payable in lines)
    tenders = [SoldTender("cash", total - coupon)] + ([SoldTender("coupon", coupon)] if coupon else [])
    sold = [SoldLine(n, f"X{n}", qty, payable) for n, (qty, payable) in enumerate(lines, 1)]
    return SoldBody(tuple(sold), tuple(tenders), (SoldCoupon(off),) if off else ())


@pytest.mark.parametrize(
    ("body", "progress", "earning", "stamps"),
    [
        (sale((1, 100)), SoldProgress(), Earning(), 1),
        (sale((1, 100)), SoldProgress(), Earning(min_fen=100), 1),
        (sale((1, 100)), SoldProgress(), Earning(min_fen=101), 0),
        (sale((1, 100), coupon=1), SoldProgress(), Earning(min_fen=100), 0),
        (sale((1, 100), coupon=100), SoldProgress(), Earning(), 0),
        (sale((1, 100)), SoldProgress((0,), (1,), (1,)), Earning(min_fen=100), 0),
        (sale((1, 100)), SoldProgress((1,), (100,), (100,)), Earning(), 0),
        (sale((3, 300), (2, 1)), SoldProgress(), PIECES, 5),
        (sale((3, 300)), SoldProgress((1,), (100,), (100,)), PIECES, 2),
        (sale((3, 300)), SoldProgress((0,), (100,), (100,)), PIECES, 2),  # the price of one came back, without it
        (sale((3, 300)), SoldProgress((0,), (99,), (99,)), PIECES, 3),
        (sale((3, 300), coupon=100, off=((1, 100),)), SoldProgress(), PIECES, 2),
        (sale((1, 0)), SoldProgress(), PIECES, 0),
        (sale((3, 300)), SoldProgress(), Earning(per=Per.PIECE, most_a_sale=2), 2),
        (sale((3, 300)), SoldProgress(), Earning(per=Per.PIECE, skus=("X2",)), 0),
    ],
)
def test_what_a_sale_deserves(body, progress, earning, stamps):
    assert rules.deserved(body, progress, earning) == stamps


@st.composite
def refunded_sales(draw):
    """A sale, and how far it is refunded at two moments, one after the other."""
    lines = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5000)), min_size=1, max_size=4))
    total = sum(payable for _, payable in lines)
    coupon = draw(st.integers(0, total))
    first_qty = [draw(st.integers(0, qty)) for qty, _ in lines]
    then_qty = [draw(st.integers(done, qty)) for (qty, _), done in zip(lines, first_qty, strict=True)]
    first_fen = [draw(st.integers(0, payable)) for _, payable in lines]
    then_fen = [draw(st.integers(done, payable)) for (_, payable), done in zip(lines, first_fen, strict=True)]
    cash = draw(st.tuples(st.integers(0, total - coupon), st.integers(0, total - coupon)))
    earlier = SoldProgress(tuple(first_qty), tuple(first_fen), (min(cash),))
    later = SoldProgress(tuple(then_qty), tuple(then_fen), (max(cash),))
    return sale(*lines, coupon=coupon), earlier, later


@given(
    refunded_sales(), st.sampled_from([Earning(), Earning(min_fen=700), PIECES, Earning(per=Per.PIECE, most_a_sale=3)])
)
def test_a_refund_never_raises_what_a_sale_deserves(refunded, earning):
    body, earlier, later = refunded

    sold, first, then = (rules.deserved(body, progress, earning) for progress in (SoldProgress(), earlier, later))

    assert 0 <= then <= first <= sold <= max(1, sum(line.qty for line in body.lines))


STEPS = st.lists(st.tuples(st.sampled_from(["give", "take", "redeem"]), st.integers(1, 25)), min_size=1, max_size=40)


@given(st.integers(1, 12), st.one_of(st.none(), st.integers(1, 4)), STEPS)
def test_given_is_held_and_taken_and_redeemed_and_nothing_is_free_twice(goal, per_member, steps):
    stamps, given_, taken, deserved = Stamps(), 0, 0, []
    for what, amount in steps:
        if what == "give":
            space = rules.room(stamps, goal, per_member)
            amount = amount if space is None else min(amount, space)
            stamps = rules.after_giving(stamps, amount)
            given_ += amount
            deserved.append(amount)
        elif what == "take" and deserved:
            amount = min(amount, deserved[-1])
            deserved[-1] -= amount
            taken += amount
            stamps = rules.after_taking(stamps, amount)
        elif what == "redeem" and rules.is_full(stamps, goal, per_member):
            stamps = Stamps(stamps.held - goal, stamps.owed, stamps.rewards + 1)

        assert given_ - taken - stamps.rewards * goal == stamps.held - stamps.owed
        assert stamps.held >= 0
        assert stamps.owed >= 0
        assert not (stamps.held and stamps.owed)
        assert per_member is None or stamps.rewards * goal + stamps.held <= per_member * goal
    while rules.is_full(stamps, goal, per_member):
        stamps = Stamps(stamps.held - goal, stamps.owed, stamps.rewards + 1)
    if not taken:
        assert stamps.rewards == given_ // goal
    else:
        assert stamps.rewards >= (given_ - taken) // goal


@given(st.integers(0, 40), st.integers(1, 12), st.integers(-5, 5))
def test_a_missed_day_loses_what_is_not_full(held, goal, days):
    today = date(2027, 5, 10)
    last_on = today - timedelta(days=days)

    lost = rules.lost_by(Stamps(held), goal, in_a_row=True, last_on=last_on, on=today)

    assert lost == (held % goal if days > 1 else 0)
    assert rules.lost_by(Stamps(held), goal, in_a_row=False, last_on=last_on, on=today) == 0
