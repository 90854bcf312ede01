"""Transactions that give points: planned again where the member's books have moved meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger.errors import Stale

T = TypeVar("T")

PLANNINGS = 3


async def with_fresh_books(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do the work in a transaction of its own, three times at most while the books it saw have moved."""
    for attempt in range(PLANNINGS):
        try:
            async with db.transaction() as tx:
                return await work(tx)
        except Stale:
            if attempt == PLANNINGS - 1:
                raise
    raise AssertionError("unreachable")
