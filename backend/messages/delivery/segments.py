"""How many text messages an SMS is, as carriers in China count and charge it."""

from __future__ import annotations

ONE = 70
EACH = 67
"""UCS-2 characters of a message alone, and of each where several are joined (the header of the joint takes three)."""

MOST = 8


def count(text: str) -> int:
    """The messages that a text is sent in; what lies outside the basic plane (most emoji) counts twice.

    Source: 3GPP TS 23.040 (user data header); the carriers' tariffs count every text as UCS-2.
    """
    units = length(text)
    return 1 if units <= ONE else -(-units // EACH)


def length(text: str) -> int:
    """The UCS-2 characters of a text."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2
