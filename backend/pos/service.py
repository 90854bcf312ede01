"""What the layers above say about tills (public)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from backend.kernel.db import Tx

InItsShift = Callable[[Tx, str, datetime], Awaitable[bool]]
_in_its_shift: list[InItsShift] = []


def shifts_decide(check: InItsShift) -> None:
    """Let ``check(tx, terminal_id, at)`` say whether what a till did then belongs to its shift of now."""
    _in_its_shift[:] = [check]


async def in_its_shift(tx: Tx, terminal_id: str, at: datetime) -> bool:
    """Whether what a till did then belongs to the shift that is open there now; without shifts nothing does."""
    return bool(_in_its_shift) and await _in_its_shift[0](tx, terminal_id, at)
