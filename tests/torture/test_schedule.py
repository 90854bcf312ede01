"""What goes wrong when is the seed's, and can be written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.torture import schedule
from backend.torture.schedule import KINDS, Fault


@given(seed=st.integers(0, 2**32), ops=st.integers(100, 200_000), count=st.integers(0, 120))
def test_a_seed_always_draws_the_same_faults_within_the_run_and_in_order(seed, ops, count):
    drawn = schedule.draw(seed, ops, count)

    assert drawn == schedule.draw(seed, ops, count)
    assert len(drawn) == count
    assert list(drawn) == sorted(drawn, key=lambda fault: fault.at)
    assert all(0 < fault.at < ops for fault in drawn)
    assert schedule.read(schedule.show(drawn)) == tuple(sorted(drawn))


def test_every_kind_comes_once_before_any_comes_twice():
    kinds = [fault.kind for fault in schedule.draw(7, 10_000, 2 * len(KINDS))]

    assert sorted(kinds[: len(KINDS)]) == sorted(kinds[len(KINDS) :]) == sorted(KINDS)


def test_seeds_differ():
    assert len({schedule.draw(seed, 10_000, 19) for seed in range(20)}) == 20


def test_a_schedule_is_read_as_it_is_written():
    assert schedule.read("2400:jump=-3\n 120:kill-server") == (Fault(120, "kill-server"), Fault(2400, "jump", -3))


@pytest.mark.parametrize("text", ["kill-server", "12:no-such-fault", "12:jump=soon", "-1:jump=3", "1:jump=3;"])
def test_what_is_no_fault_is_named(text):
    with pytest.raises(ValueError, match="is no fault"):
        schedule.read(text)
