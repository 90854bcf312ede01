"""What a process remembers for a moment, so that what everybody asks is read once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

from backend.kernel import db

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, at most ``seconds`` old and ``most`` of them; who asks for one that is being read waits for it.

    A value is as old as its reading's beginning. What another database answered is forgotten.
    """

    def __init__(self, read: Callable[[K], Awaitable[V]], *, seconds: float, most: int) -> None:
        self._read = read
        self._seconds = seconds
        self._most = most
        self._pool: object = None
        self._kept: dict[K, tuple[float, asyncio.Task[V]]] = {}

    def forget(self) -> None:
        """Read everything anew from the next question on: it was changed here."""
        self._kept = {}

    async def get(self, key: K) -> V:
        """The value of a key; raises what reading it raises, and remembers nothing then."""
        if self._pool is not db.pool():
            self._pool, self._kept = db.pool(), {}
        kept = self._kept
        until, reading = kept.get(key, (0.0, None))
        if reading is None or monotonic() >= until:
            if len(kept) >= self._most:
                self._make_room(kept)
            reading = asyncio.ensure_future(self._reading(key))
            kept[key] = (monotonic() + self._seconds, reading)
        try:
            # Whoever goes away leaves the reading to those who wait for it too.
            return await asyncio.shield(reading)
        except Exception:
            if kept.get(key, (0.0, None))[1] is reading:
                del kept[key]
            raise

    def _make_room(self, kept: dict[K, tuple[float, asyncio.Task[V]]]) -> None:
        """Drop what is too old; everything, where nothing is."""
        now = monotonic()
        for key in [key for key, (until, _) in kept.items() if until <= now]:
            del kept[key]
        if len(kept) >= self._most:
            kept.clear()

    async def _reading(self, key: K) -> V:
        return await self._read(key)
