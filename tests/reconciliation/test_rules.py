"""When a bill must have something, what is wrong between two sides, and what flows add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reconciliation import rules
from backend.reconciliation.queries.differences import difference_of
from backend.reconciliation.rules import Covered
from backend.reconciliation.types import Difference, Flow, Resolution, Side, State, What

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("theirs", "ours", "must", "what"),
    [
        (Side(100, "T"), Side(100, "T"), True, None),
        (Side(100, "T"), Side(100), False, None),
        (Side(100, "T"), Side(101, "T"), False, What.AMOUNT),
        (Side(100, "T"), Side(100, "U"), False, What.TRANSACTION),
        (Side(100, "T", failed=True), Side(100), False, What.REFUND_FAILED),
        (Side(100, "T"), None, False, What.ONLY_THERE),
        (None, Side(100), True, What.ONLY_HERE),
        (None, Side(100), False, None),
    ],
)
def test_what_is_wrong_between_two_sides(theirs, ours, must, what):
    assert rules.judge(theirs, ours, must_be_there=must) is what


def test_what_we_booked_is_missing_there_only_when_the_bill_of_the_day_after_came_too():
    day = date(2026, 11, 20)

    def must(first: date, last: date, done: datetime | None = NOON) -> bool:
        return rules.must_be_there(NOON, done, Covered(first, last))

    assert must(day, day + timedelta(days=1))
    assert not must(day, day)
    assert not must(day + timedelta(days=1), day + timedelta(days=9)), "its own day's bill was never taken"
    assert not must(day, day + timedelta(days=9), None), "it is not done yet"
    assert not must(day, day + timedelta(days=9), NOON + timedelta(days=9)), "it was done yesterday"
    assert not rules.must_be_there(NOON, NOON, None)


def test_days_are_beijings():
    assert rules.day_of(datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 19)
    assert rules.day_of(datetime(2026, 11, 19, 16, tzinfo=UTC)) == date(2026, 11, 20)
    assert rules.bill_due(date(2026, 11, 20)) == datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


def test_a_chain_begins_a_week_back_and_after_a_long_pause_three_months_back():
    last = date(2026, 11, 20)

    assert rules.days_to_want(None, last) == [last - timedelta(days=back) for back in range(7, -1, -1)]
    assert rules.days_to_want(last, last) == [last]
    assert rules.days_to_want(date(2025, 1, 1), last)[0] == last - timedelta(days=90)


_STORES = st.sampled_from(["S1", "S2", "S3", None])
_FLOWS = st.lists(
    st.builds(Flow, _STORES, _STORES, st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6), st.integers(0, 9)),
    max_size=12,
)


@given(_FLOWS, st.booleans())
def test_what_some_get_others_pay(flows: list[Flow], with_bonus: bool):
    balances = rules.balances(flows, with_bonus=with_bonus)

    assert sum(one.net_fen for one in balances) == 0
    assert all(one.receives_fen >= 0 <= one.pays_fen for one in balances)
    for one in balances:
        spent_there = sum(
            flow.principal_fen + with_bonus * flow.bonus_fen
            for flow in flows
            if flow.to_store == one.store_id != flow.from_store
        )
        own_spent = sum(
            flow.principal_fen + with_bonus * flow.bonus_fen
            for flow in flows
            if flow.from_store == one.store_id != flow.to_store
        )
        assert one.net_fen == spent_there - own_spent


def test_what_only_a_later_release_knows_of_a_difference_is_shown_as_other():
    names = (field.name for field in msgspec.structs.fields(Difference))
    row: Any = dict.fromkeys(names) | {"kind": "payment", "what": "twice", "state": "parked", "resolution": "split"}

    found = difference_of(row)

    assert (found.what, found.state, found.resolution) == (What.OTHER, State.OTHER, Resolution.OTHER)
