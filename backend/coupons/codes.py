"""Coupon codes as they are printed: five groups of four, 95 random bits and a check character.

Guessing: a batch of N codes is hit by N in 2^95 tries (2.5e-24 for 100,000 codes), and a member may try 20 an hour.
"""

from __future__ import annotations

import hashlib
import hmac

from backend.kernel import readable
from backend.kernel.readable import ALPHABET, check_char, printed

__all__ = ["ALPHABET", "RANDOM_CHARS", "check_char", "make_code", "printed", "read_code"]

RANDOM_CHARS = 19


def make_code(secret: bytes, number: int) -> str:
    """The code with that number of a batch: the same for the same secret, and without it nothing says what it is."""
    digest = hmac.digest(secret, number.to_bytes(4, "big"), hashlib.sha256)
    return readable.make(int.from_bytes(digest[:12], "big"), RANDOM_CHARS)


def read_code(text: str) -> str | None:
    """The code that somebody typed, misread characters put right; None for what cannot be one."""
    return readable.read(text, RANDOM_CHARS)
