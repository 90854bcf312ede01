"""The pure rules of what comes after an order: who may ask for what, how far it goes, and what a code is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.orders.errors import AfterSaleConflict, AfterSaleUnavailable, ShipmentInvalid
from backend.orders.rules import after_sales, fulfilment, pickup
from backend.orders.types import OrderState
from backend.orders.types.after import AfterSaleKind as Kind
from backend.orders.types.after import AfterSaleState as State
from backend.orders.types.after import AfterSaleStep as Step
from backend.orders.types.after import Fault

ENDS = frozenset({State.REJECTED, State.CANCELLED, State.REFUNDED, State.EXCHANGED})


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (Kind.REFUND, [Step.REFUND]),
        (Kind.RETURN, [Step.APPROVE, Step.SEND, Step.RECEIVE, Step.REFUND]),
        (Kind.RETURN, [Step.APPROVE, Step.RECEIVE, Step.REJECT]),
        (Kind.RETURN, [Step.APPROVE, Step.REJECT]),
        (Kind.EXCHANGE, [Step.APPROVE, Step.SEND, Step.REJECT]),
        (Kind.EXCHANGE, [Step.APPROVE, Step.SEND, Step.SEND, Step.RECEIVE, Step.EXCHANGE]),
    ],
)
def test_the_ways_of_a_request(kind, way):
    state = State.REQUESTED
    for step in way:
        assert state in after_sales.LIVING
        state = after_sales.move(kind, state, step)
    assert state in ENDS


@given(st.sampled_from(Kind), st.lists(st.sampled_from(Step), max_size=12))
def test_an_ended_request_stays_and_only_goods_that_came_back_are_paid(kind, steps):
    state, seen = State.REQUESTED, [State.REQUESTED]
    for step in steps:
        try:
            state = after_sales.move(kind, state, step)
        except AfterSaleConflict:
            continue
        assert seen[-1] not in ENDS
        seen.append(state)
    if State.REFUNDED in seen:
        assert kind is not Kind.EXCHANGE
        assert kind is Kind.REFUND or seen[-2] is State.RECEIVED
    if State.EXCHANGED in seen:
        assert kind is Kind.EXCHANGE
        assert seen[-2] is State.RECEIVED


def test_before_goods_leave_only_money_is_asked_for_and_after_the_end_nothing():
    allowed = {state: {kind for kind in Kind if _allowed(kind, state)} for state in OrderState}

    assert {state for state, kinds in allowed.items() if kinds == {Kind.REFUND}} == {
        OrderState.PAID,
        OrderState.READY_FOR_PICKUP,
    }
    assert {state for state, kinds in allowed.items() if kinds == set(Kind)} == {
        OrderState.SHIPPED,
        OrderState.RECEIVED,
    }
    assert sum(bool(kinds) for kinds in allowed.values()) == 4


def _allowed(kind: Kind, state: OrderState) -> bool:
    try:
        after_sales.check_kind(kind, state)
    except AfterSaleUnavailable:
        return False
    return True


@given(st.data())
def test_no_piece_is_in_two_requests(data):
    bought = data.draw(st.dictionaries(st.integers(1, 4), st.integers(1, 5), min_size=1))
    held: list[dict[int, int]] = []
    for _ in range(8):
        wanted = data.draw(st.dictionaries(st.integers(1, 5), st.integers(1, 5), min_size=1, max_size=3))
        try:
            after_sales.check_pieces(wanted, after_sales.left(bought, held))
        except AfterSaleUnavailable:
            continue
        held.append(wanted)
    for line_no in range(1, 6):
        assert sum(pieces.get(line_no, 0) for pieces in held) <= bought.get(line_no, 0)


@pytest.mark.parametrize(
    ("dispatched", "all_back", "fault", "back"),
    [
        (False, True, Fault.MEMBER, True),
        (False, False, Fault.SHOP, False),
        (True, True, Fault.MEMBER, False),
        (True, True, None, False),
        (False, True, None, True),
        (True, True, Fault.SHOP, True),
        (True, False, Fault.SHOP, False),
    ],
)
def test_freight_goes_back_with_the_last_goods_where_it_was_not_earned(dispatched, all_back, fault, back):
    assert after_sales.freight_goes_back(dispatched=dispatched, all_back=all_back, fault=fault) is back


@given(st.dictionaries(st.integers(1, 4), st.integers(1, 6), min_size=1), st.data())
def test_parcels_hold_what_was_bought_and_no_more(bought, data):
    gone = {no: data.draw(st.integers(0, qty)) for no, qty in bought.items()}
    parcels: list[dict[int, int]] = []
    while rest := fulfilment.to_send(bought, gone, parcels):
        wanted = data.draw(st.none() | st.dictionaries(st.sampled_from(sorted(rest)), st.integers(1, 6), min_size=1))
        try:
            parcels.append(fulfilment.parcel_of(wanted, rest))
        except ShipmentInvalid:
            assert wanted is not None
            assert any(qty > rest.get(no, 0) for no, qty in wanted.items())
    for no, qty in bought.items():
        assert sum(parcel.get(no, 0) for parcel in parcels) + gone[no] == qty
    with pytest.raises(ShipmentInvalid):
        fulfilment.parcel_of(None, {})


@given(st.binary(min_size=32, max_size=32), st.integers(0, 9), st.integers(1, 9))
def test_a_code_is_ten_digits_and_a_wrong_digit_shows(secret, place, shift):
    code = pickup.make(secret)
    wrong = code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :]

    assert pickup.read(f"{code[:3]} {code[3:6]}-{code[6:]}") == code
    assert len(code) == 10
    assert pickup.read(wrong) is None


@pytest.mark.parametrize("text", ["", "123", "１２３４５６７８９７", "12345678901", "abcdefghij", "\x00" * 10])
def test_what_is_no_code_is_none(text):
    assert pickup.read(text) is None
