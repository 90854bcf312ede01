"""How long the address of a member's picture is good. Pure."""

from __future__ import annotations

STEP_S = 3600


def good_until(unix: int) -> int:
    """The end of the hour after this one: within an hour the address stays the same, and browsers keep the picture."""
    return (unix // STEP_S + 2) * STEP_S


def is_good(until: int, unix: int) -> bool:
    """Whether an address that is good until then is good now; none was ever made for longer."""
    return unix < until <= good_until(unix)
