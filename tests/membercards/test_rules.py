"""How card numbers look, and that nothing else that a till reads looks so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.auth import codes
from backend.giftcards import numbers as gift_cards
from backend.kernel.errors import ValidationFailed
from backend.membercards import rules
from backend.membercards.types import Card, CardState, CardType, DepositState
from backend.members import rules as members


def a_type(prefix: str = "9000", length: int = 16, *, check_digit: bool = True) -> CardType:
    return CardType(
        code="t", name="t", prefix=prefix, length=length, check_digit=check_digit, level=None, deposit_fen=700,
        fee_fen=300, validity_months=None, colour="#000000", self_service=False, automatic=False, active=True,
        drawn=0, version=1, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def allowed(prefix: str, length: int) -> bool:
    try:
        rules.check_scheme(prefix, length, check_digit=True)
    except ValidationFailed:
        return False
    return True


@pytest.mark.parametrize(
    ("prefix", "length"),
    [
        ("7", 12), ("9", 12),  # member numbers
        ("1", 11), ("138", 11),  # phone numbers
        ("69", 13), ("9", 14),  # barcodes of articles
        ("1", 18), ("12", 18), ("15", 18), ("150", 18),  # WeChat
        ("2", 17), ("25", 16), ("28", 19), ("30", 18),  # Alipay
        ("62", 19), ("6", 19),  # UnionPay
        ("88", 16), ("8", 16), ("881", 16),  # gift cards
        ("4", 16), ("51", 16), ("37", 15), ("81", 17),  # bank cards
        ("9", 9), ("9", 20), ("90000000", 16),  # too short, too long, too few random digits
    ],
)  # fmt: skip
def test_numbers_that_a_till_takes_for_something_else_are_refused(prefix, length):
    assert not allowed(prefix, length)


@pytest.mark.parametrize(("prefix", "length"), [("9", 16), ("16", 18), ("2", 10), ("2", 11), ("89", 16), ("7001", 19)])
def test_other_numbers_are_allowed(prefix, length):
    assert allowed(prefix, length)


@settings(max_examples=60)
@given(
    st.integers(1, 9_999_999).map(str),
    st.integers(rules.SHORTEST, rules.LONGEST),
    st.integers(0, 10**18),
    st.booleans(),
)
def test_a_number_of_any_allowed_type_is_of_that_type_and_of_nothing_else(prefix, length, random, check_digit):
    card_type = a_type(prefix, length, check_digit=check_digit)
    if not allowed(prefix, length):
        return
    width = rules.random_digits(prefix, length, check_digit=check_digit)
    number = rules.make_number(card_type, random % 10**width)

    assert len(number) == length
    assert rules.fits(number, card_type)
    assert rules.type_of(number, [card_type]) is card_type
    assert codes.parse(number) is None
    assert gift_cards.read_number(number) is None
    assert not members.is_member_no(number)
    assert not (len(number) == 18 and "10" <= number[:2] <= "15")
    assert not (16 <= len(number) <= 24 and "25" <= number[:2] <= "30")
    assert not (len(number) == 19 and number.startswith("62"))


@pytest.mark.parametrize(
    ("one", "other", "length", "same"),
    [("90", "9001", 16, True), ("9001", "9002", 16, False), ("90", "9001", 17, False)],
)
def test_types_whose_numbers_could_be_the_same_overlap(one, other, length, same):
    assert rules.overlaps(one, 16, a_type(other, length)) is same
    assert rules.overlaps(other, length, a_type(one, 16)) is same


def test_hardly_any_number_that_looks_right_is_a_card():
    assert rules.most_numbers(a_type("9000", 16)) == 10**11 // 1_000
    assert rules.most_numbers(a_type("9000", 13, check_digit=True)) == 10**5


def test_what_ended_never_comes_back():
    ended = (CardState.REPLACED, CardState.VOID, CardState.EXPIRED)
    assert not any(rules.may_become(state, after) for state in ended for after in CardState)
    assert rules.may_become(CardState.LOST, CardState.ISSUED)
    assert not rules.may_become(CardState.ISSUED, CardState.ALLOTTED)


def test_a_list_shows_four_digits():
    assert rules.masked("9000123456789012") == "************9012"


def a_card(state: DepositState, *, virtual: bool = False) -> Card:
    return Card(
        id=1, number="9000000000000000", type_code="t", type_name="t", colour="#000000", state=CardState.LOST,
        virtual=virtual, batch_id=None, serial=None, issuer_id=None, issuer_kind=None, issuer_store=None, member_id=1,
        bound_at=None, valid_until=None, deposit_fen=450, deposit_state=state,
        deposit_store="S9" if state is DepositState.HELD else None, fee_fen=0, fee_paid=False, replaced_by=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "terms"),
    [
        (None, (700, "due", None, 0)),
        (a_card(DepositState.HELD), (450, "held", "S9", 300)),
        (a_card(DepositState.DUE), (700, "due", None, 300)),
        (a_card(DepositState.NONE, virtual=True), (700, "due", None, 0)),
    ],
)
def test_what_a_card_costs_in_the_place_of_another(before, terms):
    kept = before if before is not None and before.deposit_state is DepositState.HELD else None
    found = rules.terms(a_type(), before, kept)

    assert (found.deposit_fen, found.deposit_state, found.deposit_store, found.fee_fen) == terms
