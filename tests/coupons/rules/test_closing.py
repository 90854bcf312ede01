"""The walk over sets that pay everything finds one exactly where there is one, to the last fen of rounding."""

from __future__ import annotations

from itertools import combinations
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.coupons.rules.branches import Budget, Field
from backend.coupons.rules.closing import Closing, Reach
from backend.coupons.rules.contest import Contest, members
from backend.coupons.rules.offers import Offer
from backend.coupons.types import Stacking, Verdict
from tests.coupons.rules.build import held, terms


def offer(number: int, amount: int, lines: tuple[int, ...], payable: list[int], group: str = "") -> Offer:
    stacking = Stacking.ONE_OF_GROUP if group else Stacking.JOINT
    coupon = held(terms(face_fen=amount, stacking=stacking, group=group), f"c{number}")
    return Offer(
        coupon,
        Verdict(coupon_id=coupon.id, amount_fen=amount, lines=lines),
        lines,
        sum(map(payable.__getitem__, lines)),
    )


def draw_contest(dice: Random) -> Contest:
    """Lines of a few fen beside dear ones, and amounts that take all of their lines but a little."""
    payable = [
        dice.choice((1, 1, 2, 3, 5, dice.randrange(1, 200), dice.randrange(500, 3_000)))
        for _ in range(dice.randrange(2, 5))
    ]
    offers = []
    for number in range(dice.randrange(2, 7)):
        lines = tuple(sorted(dice.sample(range(len(payable)), dice.randrange(1, len(payable) + 1))))
        cost = sum(map(payable.__getitem__, lines))
        amount = dice.choice((cost, cost - 1, cost - dice.randrange(30), dice.randrange(1, cost + 1)))
        offers.append(offer(number, max(1, amount), lines, payable, dice.choice(("", "", "a", "b"))))
    return Contest(offers, payable)


def pays_all(contest: Contest, picks: int, cost: int) -> bool:
    settled = contest.settle(picks)
    return contest.units(picks) == picks.bit_count() and (settled.picks, settled.total) == (picks, cost)


def close(contest: Contest, room: int, fixed: int = 0, barred: int = 0) -> int | None:
    field = Field(contest, (1 << len(contest.offers)) - 1)
    found = Closing(field, Reach(field), Budget(10_000), fixed, barred).run(room)
    return None if found is None else found.picks


@settings(max_examples=400)
@given(st.integers(0, 10**9))
@example(84)
@example(279)
def test_a_set_is_found_where_there_is_one(seed):
    dice = Random(seed)
    contest = draw_contest(dice)
    numbers = range(len(contest.offers))
    room = dice.randrange(1, len(numbers) + 1)
    fixed = sum(1 << number for number in numbers if dice.random() < 0.15)
    fixed = fixed if contest.units(fixed) == fixed.bit_count() else 0
    barred = sum(1 << number for number in numbers if dice.random() < 0.1) & ~fixed
    cost = Field(contest, (1 << len(numbers)) - 1).cost

    found = close(contest, room, fixed, barred)

    sets = (sum(1 << number for number in some) for size in range(room + 1) for some in combinations(numbers, size))
    good = [picks for picks in sets if picks & fixed == fixed and not picks & barred and pays_all(contest, picks, cost)]
    assert found in good if good else found is None


def test_many_small_ones_may_leave_little_enough_for_the_last():
    payable = [100] * 14
    small = [offer(line, 50, (line,), payable) for line in range(14)]
    contest = Contest([*small, offer(14, 700, tuple(range(14)), payable)], payable)

    assert close(contest, 15) == (1 << 15) - 1
    assert close(contest, 14) is None


def test_a_line_may_be_closed_by_what_rounding_moves_alone():
    """1,000 of 1,001 fen: cumulative shares take nothing of the first line, and all of the second."""
    payable = [1, 1_000, 5_000]
    contest = Contest([offer(0, 1_000, (0, 1), payable), offer(1, 5_001, (0, 2), payable)], payable)

    assert contest.takes(0b11) == [1_000, 5_001]
    assert close(contest, 2) == 0b11
    assert close(contest, 1) is None
    assert list(members(close(contest, 2, fixed=0b10) or 0)) == [0, 1]
