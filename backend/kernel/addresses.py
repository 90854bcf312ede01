"""Addresses that are signed and good for a while: whoever was shown one may read what is there, nobody else."""

from __future__ import annotations

import hmac

from . import clock
from .vault import vault

STEP_S = 3600


def good_until(unix: int) -> int:
    """The end of the hour after this one: within an hour the address stays the same, and browsers keep the picture."""
    return (unix // STEP_S + 2) * STEP_S


def is_good(until: int, unix: int) -> bool:
    """Whether an address that is good until then is good now; none was ever made for longer."""
    return unix < until <= good_until(unix)


def query_for(purpose: str, thing_id: str) -> str:
    """The query, with its question mark, of that thing's address for the next hour or two."""
    until = good_until(clock.unix())
    return f"?until={until}&signature={_signature(purpose, thing_id, until)}"


def is_ours(purpose: str, thing_id: str, *, until: int, signature: str) -> bool:
    """Whether we made that thing's address, and its time is not over."""
    if not is_good(until, clock.unix()):
        return False
    return hmac.compare_digest(signature.encode(), _signature(purpose, thing_id, until).encode())


def _signature(purpose: str, thing_id: str, until: int) -> str:
    return vault().derive(purpose, f"{thing_id}\n{until}".encode()).hex()
