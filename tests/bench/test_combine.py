"""The benchmark of the best set: the same wallets each time, and what is said of them."""

from __future__ import annotations

from backend.bench import combine
from backend.bench.combine import Measured
from backend.bench.wallets import COUPONS, FAMILIES, LINES


def measured(name: str, *, usual: bool = True, slow: int = 0, exact: int = 100) -> Measured:
    ms = [1.0] * (100 - slow) + [9.0] * slow
    return Measured(family=name, usual=usual, ms=ms, exact=exact, most=99)


def test_every_family_is_measured_and_those_of_every_day_are_proven():
    told = []

    found = combine.measure(5, told.append)

    assert told == [family.name for family in FAMILIES]
    assert all(len(each.ms) == 5 for each in found)
    assert [each.exact for each in found[:5]] == [5] * 5
    again = combine.measure(5, lambda _: None)
    assert [each.exact for each in again] == [each.exact for each in found]


def test_the_table_and_the_verdict_say_what_was_reached():
    found = [
        measured("good"),
        measured("slow", slow=2),
        measured("unproven", exact=98),
        measured("nasty", usual=False, slow=50, exact=3),
    ]

    assert combine.rows(found)[1] == ("slow", "1.0", "9.0", "98.0%", "99.0%", "100.0%")
    assert combine.rows(found)[3] == ("nasty", "9.0", "9.0", "50.0%", "99.0%", "3.0%")
    assert combine.verdict(found) == (
        f"{COUPONS} coupons × {LINES} lines: 1 of 3 usual families with at least 99% within 5 ms and proven"
    )
