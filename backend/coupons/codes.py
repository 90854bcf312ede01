"""Coupon codes as they are printed: five groups of four, 95 random bits and a check character.

Guessing: a batch of N codes is hit by N in 2^95 tries (2.5e-24 for 100,000 codes), and a member may try 20 an hour.
"""

from __future__ import annotations

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread."""

_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
RANDOM_CHARS = 19
GROUP = 4


def check_char(body: str) -> str:
    """The last character: a sum that every wrong character and nearly every swap of neighbours changes.

    Source: the Luhn mod N algorithm, N = 32.
    """
    total = 0
    for position, char in enumerate(reversed(body)):
        weighted = _VALUES[char] * (2 if position % 2 == 0 else 1)
        total += weighted // len(ALPHABET) + weighted % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]


def make_code(secret: bytes, number: int) -> str:
    """The code with that number of a batch: the same for the same secret, and without it nothing says what it is."""
    digest = hmac.digest(secret, number.to_bytes(4, "big"), hashlib.sha256)
    value = int.from_bytes(digest[:12], "big")
    body = "".join(ALPHABET[value >> 5 * place & 31] for place in range(RANDOM_CHARS))
    return body + check_char(body)


def printed(code: str) -> str:
    """The code in groups of four."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def read_code(text: str) -> str | None:
    """The code that somebody typed, misread characters put right; None for what cannot be one."""
    code = text.strip().upper().translate(_MISREAD)
    if len(code) != RANDOM_CHARS + 1 or any(char not in _VALUES for char in code):
        return None
    return code if check_char(code[:-1]) == code[-1] else None
