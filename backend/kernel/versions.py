"""Versions of what is promised, kept by every process: none ever changes, so each is read once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from . import db

MOST_KEPT = 2000

V = TypeVar("V")
Key = tuple[str, int]
"""Of what, and which version of it."""


class Versions(Generic[V]):
    """The versions that were asked for last, up to ``MOST_KEPT``; those of another database are forgotten.

    ``read`` is asked for what is not kept yet; what it does not find is absent.
    """

    def __init__(self, read: Callable[[list[Key]], Awaitable[dict[Key, V]]]) -> None:
        self._read = read
        self._kept: dict[Key, V] = {}
        self._of: object = None

    async def find(self, wanted: Iterable[Key]) -> dict[Key, V]:
        """These versions by key, those that are none being absent; mostly no read."""
        if self._of is not db.pool():
            self._kept.clear()
            self._of = db.pool()
        keys = set(wanted)
        found = {key: self._kept[key] for key in keys if key in self._kept}
        lacking = [key for key in keys if key not in found]
        if lacking:
            read = await self._read(lacking)
            while len(self._kept) + len(read) > MOST_KEPT and self._kept:
                del self._kept[next(iter(self._kept))]
            self._kept.update(read)
            found |= read
        return found
