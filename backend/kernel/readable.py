"""Random texts that people read, type and say: Crockford's base 32 in groups, with a check character. Pure."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O, U to misread."""

_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
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


def make(value: int, random_chars: int) -> str:
    """So many characters for the lowest bits of a number, five each, and their check character."""
    body = "".join(ALPHABET[value >> 5 * place & 31] for place in range(random_chars))
    return body + check_char(body)


def printed(text: str) -> str:
    """The text in groups of four."""
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))


def read(typed: str, random_chars: int) -> str | None:
    """What somebody typed, misread characters put right; None for what cannot be such a text."""
    text = typed.strip().upper().translate(_MISREAD)
    if len(text) != random_chars + 1 or any(char not in _VALUES for char in text):
        return None
    return text if check_char(text[:-1]) == text[-1] else None
