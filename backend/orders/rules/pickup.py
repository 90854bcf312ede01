"""Pick-up codes: ten digits, of which the last is a check digit, so nine that nobody can guess.

Guessing: where 500 orders wait in a store, a try hits one of them by 500 in 10^9 (5e-7). A till may miss ten times in
ten minutes, 1,440 times a day: 0.07 % a day, and the member's phone tells at once who has what. A code is looked for
among its own store's waiting orders only, dies with the handover, and is kept nowhere: it is made anew from the
order's id with a key, and found by a digest. Ten digits are no article's number (8, 12, 13, 14), no phone number (11),
no gift card (16) and no member's code (20).
"""

from __future__ import annotations

DIGITS = 10
_RANDOM = 10 ** (DIGITS - 1)
_BLANKS = str.maketrans("", "", " -")


def make(secret: bytes) -> str:
    """The code that 32 secret bytes of an order stand for: the same for the same."""
    # 128 bits modulo 10^9: no code is likelier than another by more than 3e-30.
    body = str(int.from_bytes(secret[:16], "big") % _RANDOM).zfill(DIGITS - 1)
    return body + _check_digit(body)


def read(text: str) -> str | None:
    """The code in what was typed or read, without blanks, or None for what cannot be one."""
    code = text.translate(_BLANKS)
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    return code if _check_digit(code[:-1]) == code[-1] else None


def _check_digit(body: str) -> str:
    """Source: the Luhn algorithm (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, char in enumerate(reversed(body)):
        weighted = int(char) * (2 if position % 2 == 0 else 1)
        total += weighted // 10 + weighted % 10
    return str(-total % 10)
