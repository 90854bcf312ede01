"""Whatever is used, undone and expired in between: the shares are what was paid."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.passes.rules.recognising import earned_through, next_recognition
from backend.passes.rules.shares import days_share, piece_shares, use_share

PAID = st.integers(0, 10**7)
USES = st.integers(1, 60)


@given(paid=PAID, uses=USES, data=st.data())
def test_uses_and_undos_in_any_order_earn_exactly_what_was_paid(paid, uses, data):
    left, value, made = uses, paid, []
    for _ in range(data.draw(st.integers(0, 80))):
        if made and data.draw(st.booleans()):
            qty, fen = made.pop(data.draw(st.integers(0, len(made) - 1)))
            left, value = left + qty, value + fen
        elif left:
            qty = data.draw(st.integers(1, left))
            fen = use_share(paid, uses, left, value, qty)
            assert 0 <= fen <= value
            left, value = left - qty, value - fen
            made.append((qty, fen))
        assert sum(fen for _, fen in made) + value == paid
        assert left or not value
    breakage = value if left else 0
    assert sum(fen for _, fen in made) + breakage == paid


@given(paid=PAID, uses=USES)
def test_uses_in_their_turn_earn_the_cumulative_share(paid, uses):
    value, earned = paid, []
    for left in range(uses, 0, -1):
        earned.append(use_share(paid, uses, left, value, 1))
        value -= earned[-1]

    assert [sum(earned[: n + 1]) for n in range(uses)] == [paid * (n + 1) // uses for n in range(uses)]


def test_the_last_use_takes_the_rest_also_after_an_undo_out_of_turn():
    """3 uses of ¥1.00: 33, 33, 34; the second is undone and used again."""
    assert use_share(100, 3, 3, 100, 1) == 33
    assert use_share(100, 3, 2, 67, 1) == 33
    assert use_share(100, 3, 1, 34, 1) == 34
    assert use_share(100, 3, 1, 33, 1) == 33
    assert use_share(1, 3, 2, 0, 1) == 0  # 0, 0 and 1 were earned, and the first two undone


@given(paid=PAID, days=st.integers(1, 800), data=st.data())
def test_days_earn_what_was_paid_by_the_last_of_them(paid, days, data):
    value, earned = paid, 0
    for elapsed in sorted(data.draw(st.lists(st.integers(-2, days + 40), max_size=30))):
        share = days_share(paid, days, elapsed, value)
        assert 0 <= share <= value
        value, earned = value - share, earned + share
        assert earned == paid * min(max(elapsed, 0), days) // days
    assert days_share(paid, days, days, value) == value


@given(fen=PAID, pieces=st.integers(1, 30))
def test_the_pieces_of_a_line_share_it_without_losing_a_fen(fen, pieces):
    shares = piece_shares(fen, pieces)

    assert len(shares) == pieces
    assert sum(shares) == fen
    assert max(shares) - min(shares) <= 1


@given(on=st.dates(date(2024, 1, 1), date(2030, 12, 31)), days=st.integers(0, 400))
def test_days_are_booked_on_the_first_of_a_month_up_to_the_end_of_the_last(on, days):
    booked = next_recognition(on)
    expires_on = on + timedelta(days=days)

    through = earned_through(booked, expires_on)

    assert booked.day == 1
    assert on < booked <= on + timedelta(days=31)
    assert through == min(booked - timedelta(days=1), expires_on)
