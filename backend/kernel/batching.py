"""Group what arrives while the previous group is under way: one at a time when idle, many under load."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from .errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")

PATIENCE_S = 0.05
"""How long a call may take before others stop waiting for it: ten times the usual."""

SOON_S = 0.001
"""The shortest wait for a wake-up: event loops keep time by milliseconds and may wake a little early."""


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

    ``work`` returns one result or one exception per item, in order. If it raises, all of its items get that exception,
    and ``ValueError`` if it returns more or fewer; if it is cancelled they get ``Unavailable``. Nobody waits for ever.
    At most ``lanes`` calls of it run at once, each with at most ``max_size`` items; at most ``max_waiting`` items wait.

    A lane takes all that waits, and whoever finds a lane free starts it. With ``patience_s`` a further one starts only
    for a whole batch that waits, or where every call under way is older than that: right where a call has a price of
    its own, as a transaction has, so that one large is better than two small. What is held up then holds up others only
    for so long: that is looked at when somebody comes, and once more when the time is over, for who comes last. This
    wake-up is for what is held up and decides no batch: there is one at most, whatever comes. ``rest`` is awaited
    before each batch is put together.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Awaitable[Sequence[R | BaseException]]],
        *,
        max_size: int = 64,
        lanes: int = 1,
        max_waiting: int = 4096,
        patience_s: float = PATIENCE_S,
        rest: Callable[[], Awaitable[None]] | None = None,
        overflow: Callable[[], Exception] = lambda: Unavailable("too much is waiting", retry_after_s=1),
    ) -> None:
        self._work = work
        self._max_size = max_size
        self._max_waiting = max_waiting
        self._free_lanes = list(range(lanes))
        self._busy_since: dict[int, float] = {}
        self._patience_s = patience_s
        self._rest = rest
        self._overflow = overflow
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._wake_up: asyncio.TimerHandle | None = None

    async def submit(self, item: T) -> R:
        """Hand in one item and wait for its result; the work goes on even if the caller is cancelled."""
        if len(self._waiting) >= self._max_waiting:
            raise self._overflow()
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free_lanes:
            self._look()
        return await future

    def _look(self) -> None:
        """With a lane free: start it for what waits, or see to it that somebody looks when that has waited enough."""
        if self._needs_lane():
            self._start(self._free_lanes.pop())
        elif self._wake_up is None:
            # No batching timer: what waits goes with the call under way when that ends, usually long before. Kept over
            # the calls that follow, and set anew only when it comes too early, so that the many cost none each.
            patience = max(self._busy_since.values()) + self._patience_s - monotonic()
            self._wake_up = asyncio.get_running_loop().call_later(max(patience, SOON_S), self._wake)

    def _wake(self) -> None:
        self._wake_up = None
        if self._waiting and self._free_lanes:
            self._look()

    def _start(self, lane: int) -> None:
        self._busy_since[lane] = monotonic()
        # In a context of its own: the work is for many callers, not for the one who came first.
        task = asyncio.create_task(self._drain(lane), context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _needs_lane(self) -> bool:
        if len(self._waiting) >= self._max_size:
            return True
        late = monotonic() - self._patience_s
        return all(since < late for since in self._busy_since.values())

    async def drain(self) -> None:
        """Wait until everything that was handed in is answered (graceful shutdown)."""
        while self._running:
            # Taken out here: a task's own callback would come too late where nothing is left to wait for.
            done, _ = await asyncio.wait(self._running)
            self._running -= done

    async def _drain(self, lane: int) -> None:
        try:
            while self._waiting:
                if self._rest is not None:
                    await self._rest()
                    if not self._waiting:  # another lane has taken them
                        break
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_size))]
                self._busy_since[lane] = monotonic()
                await self._run(batch)
        finally:
            del self._busy_since[lane]
            self._free_lanes.append(lane)
            if any(not future.done() for _, future in self._waiting):
                self._look()  # this lane was cancelled, they were not
            elif not self._busy_since and self._wake_up is not None:
                self._wake_up.cancel()
                self._wake_up = None

    async def _run(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results: Sequence[R | BaseException] = await self._work([item for item, _ in batch])
            if len(results) != len(batch):  # nobody can say whose they are
                raise ValueError(f"{len(results)} results for {len(batch)} items")
        except Exception as error:
            results = [error] * len(batch)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            _answer(batch, [Unavailable("the work was cut short", retry_after_s=1)] * len(batch))
            raise
        _answer(batch, results)


def _answer(batch: list[tuple[T, asyncio.Future[R]]], results: Sequence[R | BaseException]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
