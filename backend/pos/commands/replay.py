"""Idempotency of the till's calls: a retry gets its first answer even when its code has died since."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from backend.kernel.errors import DomainError
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.types import Posted

from .identify import WrongCode, count_miss

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Again(Protocol[T_co]):
    """Gives the stored first answer of a member's plan once more."""

    def __call__(self, member_id: int, posted: Posted) -> Coroutine[Any, Any, T_co]:
        """The answer as it was then."""
        ...


async def first_answer(idem: Idempotency, scope: str, work: Callable[[], Awaitable[T]], again: Again[T]) -> T:
    """Do ``work``; where it is refused and the key was answered before, give that answer ``again`` instead.

    The door checks the key first, so a retry that reaches it is answered there. What is refused on the way (a dead
    code, a changed price) is looked up here: the same outcome as asking first, without a read in every sale.
    """
    try:
        return await work()
    except DomainError as refusal:
        known = await ledger.find_known(scope, idem.key)
        if known is None:
            if isinstance(refusal, WrongCode):
                await count_miss(refusal)
            raise
        if known.hash != idem.request_hash:
            raise IdempotencyConflict from None
        return await again(known.member_id, known.result)


def terminal_scope(terminal_id: str) -> str:
    """The idempotency scope of a terminal."""
    return f"terminal/{terminal_id}"
