"""Group what arrives while the previous group is under way: one at a time when idle, many under load, no timers."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from .errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


class Turns:
    """One at a time per key, within this process: spares rivals a race that the database would decide anyway.

    Nothing may depend on it for being right: other processes know nothing of these turns.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait until nobody else in this process has the key's turn."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            yield


class Batcher(Generic[T, R]):
    """Run ``work`` on lists of items; every caller gets its own item's result or exception.

    ``work`` returns one result or one exception per item, in order; if it raises, all of its items get that exception.
    At most ``lanes`` calls of it run at once, each with at most ``max_size`` items; at most ``max_waiting`` items wait.

    A free lane takes all that waits: right where a call of many costs little more than one of few. With ``spread`` it
    takes no more than its share of what waits and what runs, or that many where its share is less: right where every
    item is work of its own, which the lanes then do side by side instead of in turn.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Awaitable[Sequence[R | BaseException]]],
        *,
        max_size: int = 64,
        lanes: int = 1,
        max_waiting: int = 4096,
        spread: int = 0,
        overflow: Callable[[], Exception] = lambda: Unavailable("too much is waiting", retry_after_s=1),
    ) -> None:
        self._work = work
        self._max_size = max_size
        self._max_waiting = max_waiting
        self._free_lanes = lanes
        self._shares = lanes if spread else 1
        self._spread = spread
        self._under_way = 0
        self._overflow = overflow
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, item: T) -> R:
        """Hand in one item and wait for its result; the work goes on even if the caller is cancelled."""
        if len(self._waiting) >= self._max_waiting:
            raise self._overflow()
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free_lanes:
            self._free_lanes -= 1
            # In a context of its own: the work is for many callers, not for the one who came first.
            task = asyncio.create_task(self._drain(), context=Context())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def drain(self) -> None:
        """Wait until everything that was handed in is answered (graceful shutdown)."""
        while self._running:
            # Taken out here: a task's own callback would come too late where nothing is left to wait for.
            done, _ = await asyncio.wait(self._running)
            self._running -= done

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch = self._take()
                self._under_way += len(batch)
                try:
                    await self._run(batch)
                finally:
                    self._under_way -= len(batch)
        finally:
            self._free_lanes += 1

    def _take(self) -> list[tuple[T, asyncio.Future[R]]]:
        share = max(self._spread, math.ceil((len(self._waiting) + self._under_way) / self._shares))
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), share, self._max_size))]

    async def _run(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results: Sequence[R | BaseException] = await self._work([item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
