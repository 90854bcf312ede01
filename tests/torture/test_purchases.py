"""Counted purchases are held against the books."""

from __future__ import annotations

from backend.torture.domains.purchases import compare

BOOKED = [(1, "a", 3, 2, "2026-11-28"), (2, "b", 1, 1, "2026-11-27")]


def test_what_agrees_is_no_finding():
    assert list(compare([list(row) for row in BOOKED], BOOKED)) == []


def test_what_was_counted_twice_late_or_not_at_all_is_told():
    told = [(1, "a", 6, 4, "2026-11-28"), (3, "c", 1, 1, "2026-11-28")]

    found = list(compare(told, BOOKED))

    assert found == [
        "member 1 bought a: counted (6, 4, '2026-11-28'), by the books (3, 2, '2026-11-28')",
        "member 2 bought b: counted None, by the books (1, 1, '2026-11-27')",
        "member 3 bought c: counted (1, 1, '2026-11-28'), by the books None",
    ]


def test_only_a_few_of_many_are_told():
    assert len(list(compare([(n, "a", 1, 1, "2026-11-28") for n in range(20)], []))) == 5
