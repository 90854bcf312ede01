"""What a process keeps in mind of the database for a while: read once for all who ask meanwhile."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Callable, Hashable, Sequence
from time import monotonic
from typing import Generic, TypeVar

import msgspec

from . import db
from .batching import Batcher

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

MOST_WAITING = 20_000


class _Known(msgspec.Struct, Generic[T], frozen=True):
    answer: T
    pool: object
    until: float


class Kept(Generic[T]):
    """The answer of ``read``, at most ``keep_s`` old, of the database that is open now.

    When it has become too old, one read serves everybody who asks: without that, each of the hundred requests under way
    would read it anew, all at once, every few seconds.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], *, keep_s: float) -> None:
        self._read = read
        self._keep_s = keep_s
        self._known: _Known[T] | None = None
        self._forgotten = 0
        self._readers: Batcher[None, T] = Batcher(self._renew, max_size=MOST_WAITING, max_waiting=MOST_WAITING)

    async def get(self) -> T:
        """The answer; mostly no read."""
        known = self._fresh()
        return await self._readers.submit(None) if known is None else known.answer

    def forget(self) -> None:
        """Read it again at the next question: it was changed here. A read under way is not kept either."""
        self._known = None
        self._forgotten += 1

    def _fresh(self) -> _Known[T] | None:
        known = self._known
        return known if known is not None and known.pool is db.pool() and monotonic() < known.until else None

    async def _renew(self, waiting: list[None]) -> Sequence[T | BaseException]:
        known = self._fresh()
        if known is None:
            forgotten, pool, until = self._forgotten, db.pool(), monotonic() + self._keep_s
            known = _Known(await self._read(), pool, until)
            if forgotten == self._forgotten:
                self._known = known
        return [known.answer] * len(waiting)


class KeptEach(Generic[K, T]):
    """The answers of ``read`` by key, at most ``keep_s`` old and ``most`` of them, of the database that is open now.

    ``read`` answers for a list of keys, in their order. All answers are forgotten together: that costs a question less
    than looking at each one's age, and none is older than the first.
    """

    def __init__(
        self, read: Callable[[list[K]], Awaitable[Sequence[T | BaseException]]], *, keep_s: float, most: int
    ) -> None:
        self._keep_s = keep_s
        self._most = most
        self._pool: object = None
        self._until = 0.0
        self._known: dict[K, T] = {}
        self._readers: Batcher[K, T] = Batcher(read, max_size=512)

    async def get_many(self, keys: Sequence[K]) -> list[T]:
        """The answers for these keys, in their order; what is not known is read together with what others ask."""
        known = self._fresh()
        unknown = list(dict.fromkeys(key for key in keys if key not in known))
        for key, answer in zip(unknown, await gather(*map(self._readers.submit, unknown)), strict=True):
            known[key] = answer
        return [known[key] for key in keys]

    def forget(self) -> None:
        """Read everything again at the next question: it was changed here. What is being read is not kept either."""
        self._pool, self._known = None, {}

    def _fresh(self) -> dict[K, T]:
        if self._pool is not db.pool() or monotonic() >= self._until or len(self._known) >= self._most:
            self._known = {}
            self._pool, self._until = db.pool(), monotonic() + self._keep_s
        return self._known
