"""WeChat's bills and cashiers' shifts by the oracle: silent about what is true, and every planted lie is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.bills import BACK, PAID, SIDES, TAKEN, WAITING, Bills
from backend.torture.domains.shifts import ENTERED, REPORTS, TAKINGS, Shifts
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

LATE, EARLY = datetime(2026, 12, 1, 15, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, 16, tzinfo=UTC)
"""The last second of a day in Beijing, and the first of the next."""

FIRST, NEXT = date(2026, 12, 1), date(2026, 12, 2)
BILLS: dict[str, list[tuple[Any, ...]]] = {
    PAID: [("R1", 300, LATE), ("R2", 500, EARLY)],
    BACK: [("Y1", 100, EARLY)],
    SIDES: [("payment", "R1", FIRST, 300, 300), ("payment", "R2", NEXT, 500, 500), ("refund", "Y1", NEXT, 100, 100)],
    TAKEN: [(FIRST, 300, 0), (NEXT, 500, 100)],
    WAITING: [],
}
SHIFTS: dict[str, list[tuple[Any, ...]]] = {
    REPORTS: [("T1", 1, 900, 100, 900, 100, 5_800, 5_800), ("T1", 2, 50, 0, 50, 0, 50, 50)],
    TAKINGS: [("T1", "sale", 4, 1_000), ("T1", "refund", 1, 100)],
    ENTERED: [("T1", "sale", 4, 1_000), ("T1", "refund", 1, 100)],
}
TOLD = {("T1", 1), ("T1", 2)}


def found(kind: Any, facts: dict[str, list[tuple[Any, ...]]], *, final: bool = True) -> list[str]:
    world = World(
        1,
        Client("127.0.0.1", 1, 1),
        lambda: 1_795_435_200.0,
        tills=[Till("T1", "secret", "S1")],
        staff=[Clerk("admin", "", "admin", None)],
        wechat={},
        members=1,
        phones=1,
    )
    domains.load(world)
    world.domain(Shifts).told = set(TOLD)
    return list(world.domain(kind).check(Books({}, {}, frozenset(), {}, 0, facts), final=final))


@pytest.mark.parametrize(("kind", "facts"), [(Bills, BILLS), (Shifts, SHIFTS)])
def test_is_silent_about_what_is_true(kind, facts):
    assert found(kind, facts) == []


@pytest.mark.parametrize(
    ("what", "lie", "said"),
    [
        (SIDES, [("payment", "R1", FIRST, 301, 300)], "payment R1 is 301 fen by the bill, 300 at WeChat, 300 here"),
        (SIDES, [("refund", "Y1", NEXT, 99, 100)], "refund Y1 is 99 fen by the bill, 100 at WeChat, 100 here"),
        (TAKEN, [(FIRST, 800, 0)], "the bill of 2026-12-01 has 800 fen paid and 0 given back, WeChat 300 and 0"),
        (TAKEN, [(NEXT, 500, 0)], "the bill of 2026-12-02 has 500 fen paid and 0 given back, WeChat 500 and 100"),
        (BACK, [], "the bill of 2026-12-02 has 500 fen paid and 100 given back, WeChat 500 and 0"),
        (
            WAITING,
            [("payment", "R1", "only_here", None, 300)],
            "payment R1 differs (only_here): None there, 300 here, at WeChat 300",
        ),
    ],
)
def test_tells_every_lie_about_bills(what, lie, said):
    assert found(Bills, BILLS | {what: lie}) == [said]


@pytest.mark.parametrize("what", [SIDES, TAKEN])
def test_does_not_judge_a_difference_before_the_end(what):
    assert found(Bills, BILLS | {WAITING: [("payment", "R1", "only_here", None, 300)], what: []}, final=False) == []


SECOND = SHIFTS[REPORTS][1]


@pytest.mark.parametrize(
    ("what", "lie", "said"),
    [
        (REPORTS, [("T1", 1, 901, 100, 900, 100, 5_800, 5_800), SECOND], "Z1 of T1 says 901 sold"),
        (REPORTS, [("T1", 1, 900, 0, 900, 100, 5_800, 5_800), SECOND], "Z1 of T1 says 900 sold, 0 back"),
        (REPORTS, [("T1", 1, 900, 100, 900, 100, 5_801, 5_800), SECOND], "100 back, 5801 in the drawer"),
        (REPORTS, [SECOND], "till T1 has 1 Z, the last is number 2"),
        (REPORTS, [SHIFTS[REPORTS][0]], "Z2 of T1 was acknowledged and is not stored"),
        (REPORTS, [SHIFTS[REPORTS][0], SECOND, SECOND], "till T1 has 3 Z, the last is number 2"),
        (ENTERED, [("T1", "sale", 3, 900), SHIFTS[ENTERED][1]], "sales of T1 are 4 of 1000 fen, its shifts counted 3"),
        (ENTERED, [*SHIFTS[ENTERED], ("T2", "sale", 1, 5)], "sales of T2 are 0 of 0 fen, its shifts counted 1 of 5"),
        (TAKINGS, [SHIFTS[TAKINGS][0]], "refunds of T1 are 0 of 0 fen, its shifts counted 1 of 100 fen"),
    ],
)
def test_tells_every_lie_about_shifts(what, lie, said):
    assert any(said in finding for finding in found(Shifts, SHIFTS | {what: lie}))


def test_does_not_miss_what_is_still_to_be_counted():
    assert found(Shifts, SHIFTS | {ENTERED: []}, final=False) == []
