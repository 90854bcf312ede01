"""Numbers and PINs as they are printed, and card tokens: what is accepted, and that nothing of it can be guessed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.giftcards import numbers, tokens
from backend.giftcards.tokens import CardToken

SECRET = bytes(range(32))
KEY = b"k" * 32
TOKEN = CardToken(4_611_686_018_427_387_905, 1_795_000_000)


def test_a_number_has_a_prefix_of_its_own_and_a_check_digit():
    number = numbers.make_number(SECRET, 0)

    assert (len(number), number[:2]) == (16, "88")
    assert numbers.read_number(numbers.printed(number)) == number
    assert numbers.printed(number) == f"{number[:4]} {number[4:8]} {number[8:12]} {number[12:]}"
    assert numbers.read_number(number.replace("8", "8 -")) == number


def test_the_check_digit_is_luhn_s():
    assert numbers.check_digit("7992739871") == "3"  # the example of the algorithm's description
    assert numbers.check_digit("881234567890123") == "2"


@given(st.integers(0, 100_000), st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_no_number(serial, place, by):
    number = numbers.make_number(SECRET, serial)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]

    assert numbers.read_number(wrong) is None


@pytest.mark.parametrize("text", ["", "88", "8" * 15, "8" * 17, "٨" * 16, "88123456789012x7", "4000000000000002"])
def test_what_could_be_no_number_is_none(text):
    assert numbers.read_number(text) is None


def test_the_same_secret_and_serial_make_the_same_card_and_others_another():
    cards = {(numbers.make_number(SECRET, serial), numbers.make_pin(SECRET, serial)) for serial in range(2_000)}

    assert len(cards) == 2_000
    assert numbers.make_number(SECRET, 7) == numbers.make_number(SECRET, 7)
    assert numbers.make_number(b"x" * 32, 7) != numbers.make_number(SECRET, 7)
    assert {len(pin) for _, pin in cards} == {6}
    # Fixed secret, so no luck: each of the ten digits stands at each place of about a tenth of the PINs.
    for place in range(6):
        counted = Counter(pin[place] for _, pin in cards)
        assert len(counted) == 10
        assert max(counted.values()) < 270


def test_a_token_is_short_and_is_read_back_where_it_was_made():
    text = tokens.seal(TOKEN, "T1", "S1", KEY)

    assert len(text) <= 64
    assert text.startswith(tokens.PREFIX)
    assert tokens.unseal(text, "T1", "S1", KEY) == TOKEN


@pytest.mark.parametrize(
    ("terminal_id", "store_id", "key"), [("T2", "S1", KEY), ("T1", "S2", KEY), ("T1", "S1", b"x" * 32)]
)
def test_a_token_is_of_no_use_elsewhere(terminal_id, store_id, key):
    assert tokens.unseal(tokens.seal(TOKEN, "T1", "S1", KEY), terminal_id, store_id, key) is None


def test_a_token_with_another_byte_is_none():
    text = tokens.seal(TOKEN, "T1", "S1", KEY)
    for place in range(len(tokens.PREFIX), len(text) - 1):
        other = "A" if text[place] != "A" else "B"
        assert tokens.unseal(text[:place] + other + text[place + 1 :], "T1", "S1", KEY) is None


@pytest.mark.parametrize("text", ["", "gc.", "gc.!", "gc.AAAA", "gc." + "A" * 60, "4611686018427387905"])
def test_what_is_no_token_is_none(text):
    assert tokens.unseal(text, "T1", "S1", KEY) is None
