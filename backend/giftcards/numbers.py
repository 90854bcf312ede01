"""Numbers and PINs of cards as they are printed: 16 digits, ``88``, thirteen random ones and a check digit; 6 digits.

Guessing: a number that exists is hit by N in 10^13 tries (1e-7 for a million cards), its PIN by one in 10^6, so a card
that pays by N in 10^19 (1e-13). A till may try 20 times a minute, a member 20 times an hour, and a number that was
tried wrongly five times in a row is locked, first for 15 minutes, then ever longer up to a day: 10,000 tries at one
number take more than five years, and hit with 1 %. ``88`` at 16 digits is no prefix of bank cards (ISO/IEC 7812 gives
8 to telecommunications).
"""

from __future__ import annotations

import hashlib
import hmac

PREFIX = "88"
RANDOM_DIGITS = 13
LENGTH = len(PREFIX) + RANDOM_DIGITS + 1
PIN_DIGITS = 6
_BLANKS = str.maketrans("", "", " -")


def check_digit(body: str) -> str:
    """The last digit. Source: the Luhn algorithm (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, char in enumerate(reversed(body)):
        weighted = int(char) * (2 if position % 2 == 0 else 1)
        total += weighted // 10 + weighted % 10
    return str(-total % 10)


def make_number(secret: bytes, serial: int) -> str:
    """The number with that serial in a batch: the same for the same secret, and without it nothing says what it is."""
    body = PREFIX + _digits(secret, b"number", serial, RANDOM_DIGITS)
    return body + check_digit(body)


def make_pin(secret: bytes, serial: int) -> str:
    """The PIN under the scratch field of that card."""
    return _digits(secret, b"pin", serial, PIN_DIGITS)


def _digits(secret: bytes, purpose: bytes, serial: int, count: int) -> str:
    # 128 bits modulo 10^13: no digit is likelier than another by more than 3e-26.
    digest = hmac.digest(secret, purpose + serial.to_bytes(4, "big"), hashlib.sha256)
    return str(int.from_bytes(digest[:16], "big") % 10**count).zfill(count)


def read_number(text: str) -> str | None:
    """The number in what was typed or read, without blanks, or None for what cannot be one."""
    number = text.translate(_BLANKS)
    if len(number) != LENGTH or not (number.isascii() and number.isdigit()) or not number.startswith(PREFIX):
        return None
    return number if check_digit(number[:-1]) == number[-1] else None


def printed(number: str) -> str:
    """The number in groups of four."""
    return " ".join(number[start : start + 4] for start in range(0, LENGTH, 4))
