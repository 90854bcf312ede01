"""In whose hands logins may be: by who made them, or set their passwords, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.approvals import hands
from backend.auth.types import Tie

NOW = datetime(2026, 11, 28, tzinfo=UTC)
DAYS = timedelta(days=3)
A, B, C, P, Q = range(5)


def tie(login: int, holder: int, days: float = 1) -> Tie:
    return Tie(login, holder, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("ties", "asker", "decider", "held_by"),
    [
        ([], P, Q, set()),
        ([tie(P, A)], P, A, {A}),
        ([tie(P, A)], A, P, {A}),
        ([tie(P, A), tie(Q, A)], P, Q, {A}),
        ([tie(B, A), tie(P, B)], P, A, {A}),
        ([tie(B, A), tie(P, B), tie(Q, B)], P, Q, {A, B}),
        ([tie(P, A), tie(Q, B)], P, Q, set()),
        ([tie(P, A), tie(P, B)], A, B, set()),
        ([tie(P, A, 3), tie(Q, A)], P, Q, set()),
        ([tie(P, A, 2.999), tie(Q, A)], P, Q, {A}),
        ([tie(B, A, 4), tie(P, B)], P, A, set()),
        ([tie(A, A)], A, B, set()),
        ([tie(A, B), tie(B, C), tie(C, A)], A, C, {A, B, C}),
    ],
)
def test_who_may_hold_both_logins(ties, asker, decider, held_by):
    assert hands.of_both(asker, NOW, decider, NOW, hands.by_login(ties), DAYS) == held_by


def test_who_asked_is_judged_as_of_then_and_who_decides_as_of_now():
    ties = hands.by_login([tie(P, A, 4), tie(Q, B, 4)])
    asked_at = NOW - timedelta(days=3)

    assert hands.of_both(P, asked_at, A, NOW, ties, DAYS) == {A}
    assert hands.of_both(B, asked_at, Q, NOW, ties, DAYS) == set()
    assert hands.of_both(P, asked_at, A, NOW - timedelta(days=4.5), ties, DAYS) == set(), "what came later ties nobody"
