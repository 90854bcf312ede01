"""Idempotency of calls that move a card's value: a retry gets its first answer, however the card stands by then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.kernel.errors import DomainError
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.types import Posted

T = TypeVar("T")


async def first_answer(
    idem: Idempotency,
    scope: str,
    work: Callable[[], Awaitable[Answer[T]]],
    again: Callable[[int, Posted], Awaitable[T]],
) -> Answer[T]:
    """Do ``work``; where it is refused and the key was answered before, give that answer ``again`` instead.

    The door checks the key first, so a retry that reaches it is answered there; what is refused on the way (the card is
    active already, its token has died) is looked up here.
    """
    try:
        return await work()
    except DomainError:
        known = await ledger.find_known(scope, idem.key)
        if known is None:
            raise
        if known.hash != idem.request_hash:
            raise IdempotencyConflict from None
        return Answer(await again(known.member_id, known.result), replayed=True)


def terminal_scope(terminal_id: str) -> str:
    """The idempotency scope of a terminal: one for all of its calls."""
    return f"terminal/{terminal_id}"
