"""Lanes: requests that come in crowds get a share of a process, so that the others are answered as if there were none.

A process does everything in turns on one loop, so a thousand orders under way are thousands of steps before a reader's
next one. A route that names a lane has its requests worked on a few at a time, the rest waiting in the order they came;
and what those few do is cut at its awaits: little of it in one turn of the loop, and while somebody outside the lanes
is being answered no more than a share of the time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from time import perf_counter, thread_time
from typing import Any, Generic, TypeVar

from backend.kernel import metrics
from backend.kernel.errors import Unavailable

T = TypeVar("T")

TURN_S = 0.001
"""What a lane may take of one turn of the loop; the step under way is not cut."""

SHARE = 4
"""While others are being answered a lane takes one part of the time in so many."""

NEWS_S = 0.02
"""How long a request outside the lanes is thought of: readers are answered far sooner, and a long report is not to slow
orders down."""

LOOK_S = 0.001
"""How soon a lane that waits for others looks whether they were answered: the loop's own shortest time."""

ABOUT_S = 0.1
"""How long after somebody else came a lane leaves time between two of its batches."""

MOST_REST_S = 0.02
RETRY_AFTER_S = 2


class Crowded(Unavailable):
    """Very many ask for this at once; send the same request again in a moment."""

    code = "crowded"


class Others:
    """The requests outside the lanes that this process answers now."""

    def __init__(self) -> None:
        self._under_way = 0
        self._last_at = 0.0

    def begin(self) -> None:
        """One has come."""
        self._under_way += 1
        self._last_at = perf_counter()

    def end(self) -> None:
        """One was answered."""
        self._under_way -= 1

    def are_about(self, now: float) -> bool:
        """Whether one came a moment ago, so that more will."""
        return now < self._last_at + ABOUT_S

    def matter(self, now: float) -> bool:
        """Whether one is being answered that has not been for long."""
        return self._under_way > 0 and now < self._last_at + NEWS_S


others = Others()


class Lane:
    """A share of each process for requests of one kind.

    ``at_once`` are worked on. ``most_waiting`` wait for that, ``patience_s`` at most; whoever comes beyond that or
    waits longer is refused with ``Crowded``, and nothing was done for them.
    """

    def __init__(self, name: str, *, at_once: int, most_waiting: int, patience_s: float) -> None:
        self.name = name
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._patience_s = patience_s
        self._working = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._used_s = 0.0
        self._usual_s = TURN_S
        self._may_step_at = 0.0
        self._steps: deque[asyncio.Future[None]] = deque()
        self._is_turn_over = True
        self._rests_until = 0.0
        metrics.probe(self._measure)

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it when it is its turn; ``Crowded`` where that would be too late."""
        await self._enter()
        place = _Place(self)
        token = _place.set(place)
        try:
            return await _Steps(self, work())
        finally:
            _place.reset(token)
            place.leave()

    async def paced(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it in the lane's share of the loop: for what is done for many of its requests together.

        Its steps come before those of single requests: what it has locked, others wait for.
        """
        began = perf_counter()
        try:
            return await _Steps(self, work, is_first=True)
        finally:
            now = perf_counter()
            self._rests_until = now + min(now - began, MOST_REST_S)

    async def rest(self) -> None:
        """While others are about: leave as much time since the work before as that took.

        The database and the machine's processors are theirs meanwhile, and what waits becomes a larger batch.
        """
        now = perf_counter()
        if now < self._rests_until and others.are_about(now):
            await asyncio.sleep(self._rests_until - now)

    # -- who is worked on

    async def _enter(self) -> None:
        if self._working < self._at_once:
            self._working += 1
            return
        if len(self._waiting) >= self._most_waiting:
            raise self._crowded()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave()  # it had just been given
            else:
                with suppress(ValueError):
                    self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._crowded() from None
            raise

    def _leave(self) -> None:
        """Give the place to whoever has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._working -= 1

    def _crowded(self) -> Crowded:
        metrics.LANE_REFUSED.labels(self.name).inc()
        return Crowded(retry_after_s=RETRY_AFTER_S)

    def _measure(self) -> None:
        metrics.LANE_WORKING.labels(self.name).set(self._working)
        metrics.LANE_WAITING.labels(self.name).set(len(self._waiting))

    # -- how much of the loop

    def may_step(self, *, is_first: bool) -> bool:
        """Whether a step is within the lane's share now, and is before those that wait for one."""
        return (is_first or not self._steps) and self._used_s < TURN_S and not self._must_wait(perf_counter())

    def _must_wait(self, now: float) -> bool:
        return now < self._may_step_at and others.matter(now)

    def note_step(self, took_s: float) -> None:
        """A step was made that took so much of the processor."""
        self._used_s += took_s
        self._usual_s += (took_s - self._usual_s) / 16
        self._may_step_at = perf_counter() + took_s * (SHARE - 1)
        self._expect_turn()

    def next_turn(self, *, is_first: bool) -> asyncio.Future[None]:
        """Resolved when the next step may be made, in the order in which they asked."""
        step: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if is_first:
            self._steps.appendleft(step)
        else:
            self._steps.append(step)
        self._expect_turn()
        return step

    def _expect_turn(self) -> None:
        if self._is_turn_over:
            self._is_turn_over = False
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """The loop's next turn, in which everything else that was ready has had its own."""
        self._used_s, self._is_turn_over = 0.0, True
        now = perf_counter()
        if self._must_wait(now):
            self._is_turn_over = False
            asyncio.get_running_loop().call_later(LOOK_S, self._turn)
            return
        room = 1 if others.matter(now) else max(1, int(TURN_S / self._usual_s))
        while self._steps and room:
            step = self._steps.popleft()
            if not step.done():  # else it was cancelled
                step.set_result(None)
                self._used_s += self._usual_s
                room -= 1
        if self._steps or self._used_s:
            self._expect_turn()


class _Place:
    """One request's place among those that are worked on."""

    def __init__(self, lane: Lane) -> None:
        self._lane: Lane | None = lane

    def leave(self) -> None:
        """Give it to the next, once."""
        if self._lane is not None:
            lane, self._lane = self._lane, None
            lane._leave()


_place: ContextVar[_Place | None] = ContextVar("place", default=None)


def leave() -> None:
    """Let the next begin already: before a wait that costs this process nothing, such as a call to somebody else."""
    place = _place.get()
    if place is not None:
        place.leave()


class _Steps(Generic[T]):
    """A coroutine whose steps, from one await to the next, are made when its lane may."""

    def __init__(self, lane: Lane, work: Coroutine[Any, Any, T], *, is_first: bool = False) -> None:
        self._lane = lane
        self._work = work
        self._is_first = is_first

    def __await__(self) -> Generator[Any, Any, T]:
        lane, work, is_first = self._lane, self._work, self._is_first
        error: BaseException | None = None
        value: Any = None
        while True:
            if error is None and not lane.may_step(is_first=is_first):
                try:
                    yield from lane.next_turn(is_first=is_first)
                except BaseException as raised:
                    error = raised
            began = thread_time()
            try:
                awaited = work.send(value) if error is None else work.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                lane.note_step(thread_time() - began)
            value = error = None
            try:
                value = yield awaited
            except BaseException as raised:
                error = raised
