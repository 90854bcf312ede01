"""What is written down of a call that somebody answers for, in the transaction that does it.

Whoever keeps a log of calls is the *keeper* of a call while it runs: it writes its row on each transaction before that
commits, so that nothing happens without it. Domains may say more: which things were meant, which fields were changed.
Where nobody keeps a log, all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

Kept = Callable[[], None]


class Keeper(Protocol):
    """Writes down one call."""

    def named(self, things: tuple[str, ...]) -> None:
        """These things were meant, besides what the address names."""

    def changed(self, action: str, fields: tuple[str, ...]) -> None:
        """That was done, to these fields."""

    def said(self, values: dict[str, str | int | bool | None]) -> None:
        """These values are harmless, and worth reading."""

    def reached(self, place: str) -> None:
        """The call is about something of that store."""

    async def before_commit(self, tx: Any) -> Kept | None:
        """Write on the transaction; what is returned is called when it has committed."""

    async def ahead(self) -> None:
        """Write at once that something is about to happen which no transaction of ours holds."""


_keeper: ContextVar[Keeper | None] = ContextVar("trail_keeper", default=None)


@contextmanager
def kept_by(keeper: Keeper) -> Iterator[None]:
    """Have this call written down while it runs."""
    token = _keeper.set(keeper)
    try:
        yield
    finally:
        _keeper.reset(token)


def named(*things: str) -> None:
    """Say that the call is about these things too: ids, never a name or a number of somebody."""
    if (keeper := _keeper.get()) is not None:
        keeper.named(things)


def changed(action: str, *fields: str) -> None:
    """Say what is done to which fields: their names, never what stands in them."""
    if (keeper := _keeper.get()) is not None:
        keeper.changed(action, fields)


def said(**values: str | int | bool | None) -> None:
    """Say a few values that are nobody's personal data: a state, an amount, who else took part (a staff id)."""
    if (keeper := _keeper.get()) is not None:
        keeper.said(values)


def reached(place: str) -> None:
    """Say that the call is about something of that store, which its own people may read of."""
    if (keeper := _keeper.get()) is not None:
        keeper.reached(place)


async def before_commit(tx: Any) -> Kept | None:
    """Called by ``db.transaction`` when its block has ended well."""
    keeper = _keeper.get()
    return await keeper.before_commit(tx) if keeper is not None else None


async def ahead() -> None:
    """Called where something is committed by somebody else's transaction, the ledger writer's above all."""
    if (keeper := _keeper.get()) is not None:
        await keeper.ahead()
