"""What became of members, told on the transaction that did it: who must miss nothing, and hear it in order, listens.

Events come later, and one whose handlers fail comes after those that followed it; what is told here commits with the
change, under the lock of the member.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec

from backend.kernel.db import Tx

from .types import Stage


class Became(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one member: fields, by the ids of the changes that say how; or another level or stage.

    ``joined``: there was no such member before. ``level`` is the one that prices are made with, a lent one too.
    """

    member_id: int
    change_ids: tuple[int, ...] = ()
    joined: bool = False
    level: str | None = None
    stage: Stage | None = None


Listener = Callable[[Tx, Sequence[Became]], Awaitable[None]]
Reader = Callable[[Collection[int]], Awaitable[Mapping[int, str]]]

_listeners: list[Listener] = []
_readers: dict[str, Reader] = {}


def listen(listener: Listener) -> Listener:
    """Have this called with whatever becomes of members; what it raises undoes the change."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


async def tell(tx: Tx, became: Sequence[Became]) -> None:
    """Call whoever listens; the caller holds the members."""
    if became:
        for listener in _listeners:
            await listener(tx, became)


def keeps(field: str, reader: Reader) -> None:
    """Say who reads a field of members that another domain keeps: many members at once, who has none is absent."""
    if _readers.setdefault(field, reader) is not reader:
        raise TypeError(f"two domains keep {field}")


def readers() -> Mapping[str, Reader]:
    """The readers of fields that other domains keep, by field."""
    return _readers
