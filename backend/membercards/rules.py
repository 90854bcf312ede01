"""How card numbers look, which of them are somebody else's, and what may become of a card. No I/O, clock or chance.

Guessing: a number is hit by one in ``SCARCITY`` tries at most, and tells then who somebody is, masked; a till may miss
20 times a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from backend.kernel.errors import invalid

from .types import HELD, Card, CardState, CardType, DepositState, Dues


class Terms(msgspec.Struct, frozen=True):
    """What a card is given out for: its deposit and how that stands (and who has it), and the fee."""

    deposit_fen: int
    deposit_state: DepositState
    deposit_store: str | None
    fee_fen: int


SHORTEST, LONGEST = 10, 19
FEWEST_RANDOM_DIGITS = 8
AUTOMATIC_RANDOM_DIGITS = 11
"""Of numbers that are given out by themselves there may be any number: nobody counts them."""
SCARCITY = 1_000
"""Of so many numbers that look right, one may be a card's."""


class Range(msgspec.Struct, frozen=True):
    """Numbers that a till takes for something else: of these lengths, from ``low`` to ``high`` in their first digits.

    ``low`` and ``high`` have the same number of digits; the empty text stands for all numbers of these lengths.
    """

    whose: str
    lengths: range
    low: str = ""
    high: str = ""


RESERVED = (
    Range("member numbers", range(12, 13)),
    Range("barcodes of articles", range(12, 15)),
    Range("phone numbers", range(11, 12), "1", "1"),
    Range("payment codes of WeChat", range(18, 19), "10", "15"),
    Range("payment codes of Alipay", range(16, 25), "25", "30"),
    Range("payment codes of UnionPay", range(19, 20), "62", "62"),
    Range("gift cards", range(16, 17), "88", "88"),
    Range("member codes", range(20, 21), "70", "70"),
    Range("codes to authorise with", range(20, 21), "71", "71"),
    Range("bank cards", range(13, 20), "2", "6"),
    Range("bank cards", range(13, 20), "81", "81"),
)
"""Source: DESIGN section 4; GS1 (8, 12, 13 and 14 digits); ISO/IEC 7812-1 (2 to 6, and 81 of UnionPay)."""


def check_scheme(prefix: str, length: int, *, check_digit: bool) -> None:
    """Refuse numbers that could be taken for something else, or of which there are too few."""
    if not SHORTEST <= length <= LONGEST:
        raise invalid("/length", f"must lie between {SHORTEST} and {LONGEST}")
    if random_digits(prefix, length, check_digit=check_digit) < FEWEST_RANDOM_DIGITS:
        raise invalid("/length", f"leaves fewer than {FEWEST_RANDOM_DIGITS} digits beside prefix and check digit")
    taken = next((one for one in RESERVED if length in one.lengths and _meets(prefix, one)), None)
    if taken is not None:
        raise invalid("/prefix", f"numbers of {length} digits that begin so may be {taken.whose}")


def _meets(prefix: str, taken: Range) -> bool:
    """Whether a number that begins with ``prefix`` can lie in that range."""
    width = len(taken.low)
    return prefix[:width].ljust(width, "0") <= taken.high and prefix[:width].ljust(width, "9") >= taken.low


def random_digits(prefix: str, length: int, *, check_digit: bool) -> int:
    """How many digits of a number are random."""
    return length - len(prefix) - check_digit


def most_numbers(card_type: CardType) -> int:
    """How many numbers of a type there may be, so that hardly any is guessed."""
    space = 10 ** random_digits(card_type.prefix, card_type.length, check_digit=card_type.check_digit)
    return int(space // SCARCITY)


def overlaps(prefix: str, length: int, other: CardType) -> bool:
    """Whether a number can be of both types."""
    return length == other.length and (prefix.startswith(other.prefix) or other.prefix.startswith(prefix))


def check_digit_of(digits: str) -> str:
    """The check digit to append. Source: ISO/IEC 7812-1, annex B (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make_number(card_type: CardType, random: int) -> str:
    """The number of a type from a random number below 10 to the power of its random digits."""
    width = random_digits(card_type.prefix, card_type.length, check_digit=card_type.check_digit)
    body = f"{card_type.prefix}{random:0{width}d}"
    return body + check_digit_of(body) if card_type.check_digit else body


def fits(number: str, card_type: CardType) -> bool:
    """Whether this can be a number of that type."""
    return (
        looks_like_number(number)
        and len(number) == card_type.length
        and number.startswith(card_type.prefix)
        and (not card_type.check_digit or check_digit_of(number[:-1]) == number[-1])
    )


def looks_like_number(text: str) -> bool:
    """Whether this can be the number of any card, before it is asked for."""
    return text.isascii() and text.isdigit() and SHORTEST <= len(text) <= LONGEST


def type_of(number: str, types: Iterable[CardType]) -> CardType | None:
    """The type whose number this can be; types do not overlap."""
    return next((one for one in types if fits(number, one)), None)


def masked(number: str) -> str:
    """A number as it stands in a list: its last four digits tell a card from its neighbours, and nobody whose it is."""
    return f"{'*' * (len(number) - 4)}{number[-4:]}"


def is_over(valid_until: date | None, today: date) -> bool:
    """Whether a card's last day is over; the job writes it down some time later."""
    return valid_until is not None and valid_until < today


def standing(card: Card, today: date) -> Card:
    """A card as it stands on that day, whether its expiry was written down yet or not."""
    over = card.state in HELD and is_over(card.valid_until, today)
    return msgspec.structs.replace(card, state=CardState.EXPIRED) if over else card


def dues(card: Card) -> Dues:
    """What is still to be paid for a card; for one that its member has no more, nothing."""
    if card.state not in HELD:
        return Dues()
    return Dues(
        deposit_fen=card.deposit_fen if card.deposit_state is DepositState.DUE else 0,
        fee_fen=0 if card.fee_paid else card.fee_fen,
    )


def terms(card_type: CardType, before: Card | None, kept: Card | None) -> Terms:
    """What a card costs its member who is given it now, perhaps in the place of another (``before``).

    The deposit that is held for ``kept``, the other or one that ended, goes over to it, whatever its own would be; a
    number without plastic is replaced for nothing.
    """
    if kept is not None:
        deposit, state, store = kept.deposit_fen, DepositState.HELD, kept.deposit_store
    else:
        deposit, store = card_type.deposit_fen, None
        state = DepositState.DUE if deposit else DepositState.NONE
    fee = card_type.fee_fen if before is not None and not before.virtual else 0
    return Terms(deposit, state, store, fee)


_STEPS = {
    CardState.PRINTED: {CardState.ALLOTTED, CardState.ISSUED, CardState.VOID},
    CardState.ALLOTTED: {CardState.PRINTED, CardState.ISSUED, CardState.VOID},
    CardState.ISSUED: {CardState.LOST, CardState.REPLACED, CardState.VOID, CardState.EXPIRED},
    CardState.LOST: {CardState.ISSUED, CardState.REPLACED, CardState.VOID, CardState.EXPIRED},
    CardState.REPLACED: set(),
    CardState.VOID: set(),
    CardState.EXPIRED: set(),
}


def may_become(state: CardState, after: CardState) -> bool:
    """Whether a card in that state may get into the other."""
    return after in _STEPS[state]
