"""The shrinker against predicates: what is needed stays, everything else goes, within the bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.torture.schedule import Fault, draw
from backend.torture.shrink import Case, Shrinker

CASE = Case(10_000, draw(3, 10_000, 38))


@given(needed=st.sets(st.sampled_from(range(38)), min_size=1, max_size=3))
def test_exactly_the_needed_faults_are_left(needed):
    kinds = {(CASE.faults[index].kind, CASE.faults[index].value) for index in needed}

    def fails(case: Case) -> bool:
        return kinds <= {(fault.kind, fault.value) for fault in case.faults}

    shortest = Shrinker(CASE, fails, most_tries=1000).run()

    assert {(fault.kind, fault.value) for fault in shortest.faults} == kinds
    assert len(shortest.faults) == len(kinds)
    assert all(fault.at < shortest.ops < CASE.ops for fault in shortest.faults)


def test_faults_that_have_nothing_to_do_with_it_go_at_the_first_try_and_operations_by_halves():
    tried: list[Case] = []

    def fails(case: Case) -> bool:
        tried.append(case)
        return case.ops >= 700

    shortest = Shrinker(CASE, fails, most_tries=100).run()

    assert tried[0] == Case(10_000, ())
    assert shortest.faults == ()
    assert 700 <= shortest.ops < 1400


def test_no_more_tries_than_allowed_and_the_best_so_far_counts():
    def fails(case: Case) -> bool:
        return CASE.faults[5] in case.faults and CASE.faults[30] in case.faults

    shrinker = Shrinker(CASE, fails, most_tries=6)
    shortest = shrinker.run()

    assert shrinker.tries == 6
    assert fails(shortest)


def test_what_never_fails_again_is_told_as_it_was():
    assert Shrinker(CASE, lambda _: False, most_tries=200).run() == CASE


def test_distances_between_faults_are_kept_when_they_come_sooner():
    case = Case(5000, (Fault(2000, "kill-server"), Fault(2300, "kill-worker")))

    shortest = Shrinker(case, lambda tried: len(tried.faults) == 2, most_tries=100).run()

    first, second = shortest.faults
    assert second.at - first.at == 300
    assert first.at < 60


def test_a_case_that_fails_only_every_other_time_is_tried_again():
    calls: list[Case] = []

    def fails(case: Case) -> bool:
        calls.append(case)
        return CASE.faults[5] in case.faults and len(calls) % 2 == 0

    shortest = Shrinker(CASE._replace(ops=9800), fails, most_tries=500, each=2).run()

    assert [(fault.kind, fault.value) for fault in shortest.faults] == [(CASE.faults[5].kind, CASE.faults[5].value)]
