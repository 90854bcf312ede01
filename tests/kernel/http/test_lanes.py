"""Lanes: how many are worked on, who waits and who is refused, and how little of the loop they take."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import metrics
from backend.kernel.http import Crowded, Lane, lanes


class Gate:
    """Work that begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.open = asyncio.Event()

    async def work(self, n: int) -> int:
        self.begun.append(n)
        await self.open.wait()
        return n


async def settled() -> None:
    """Let everything that is ready have its turns."""
    for _ in range(20):
        await asyncio.sleep(0)


def make(name: str = "test", *, at_once: int = 2, most_waiting: int = 3, patience_s: float = 30.0) -> Lane:
    return Lane(name, at_once=at_once, most_waiting=most_waiting, patience_s=patience_s)


async def test_some_are_worked_on_the_rest_in_the_order_they_came_and_what_is_too_much_is_refused():
    lane, gate = make("in_order"), Gate()

    tasks = [asyncio.create_task(lane.run(lambda n=n: gate.work(n))) for n in range(7)]
    await settled()
    begun = list(gate.begun)
    metrics.render()
    working, waiting = (gauge.labels("in_order")._value.get() for gauge in (metrics.LANE_WORKING, metrics.LANE_WAITING))
    gate.open.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert (begun, working, waiting) == ([0, 1], 2, 3)
    assert gate.begun == outcomes[:5] == [0, 1, 2, 3, 4]
    assert [(type(one), one.code, one.retry_after_s) for one in outcomes[5:]] == [(Crowded, "crowded", 2)] * 2
    assert metrics.LANE_REFUSED.labels("in_order")._value.get() == 2


async def test_who_waited_too_long_is_refused_and_takes_nobodys_place():
    lane, gate = make(at_once=1, patience_s=0.01), Gate()
    first = asyncio.create_task(lane.run(lambda: gate.work(1)))
    await settled()

    with pytest.raises(Crowded):
        await lane.run(lambda: gate.work(2))
    gate.open.set()

    assert await first == 1
    assert await lane.run(lambda: gate.work(3)) == 3
    assert gate.begun == [1, 3]


@pytest.mark.parametrize("just_given", [False, True])
async def test_a_place_that_was_waited_for_by_somebody_who_left_is_the_next_ones(just_given):
    lane, gate = make(at_once=1), Gate()
    first, left, after = (asyncio.create_task(lane.run(lambda n=n: gate.work(n))) for n in range(3))
    await settled()

    if just_given:
        lane._leave()  # as the first one's end does: the second has the place, and has not heard of it
    left.cancel()
    if not just_given:
        gate.open.set()
    await settled()
    gate.open.set()
    await asyncio.wait({first, left, after})

    assert (left.cancelled(), first.result(), after.result()) == (True, 0, 2)
    assert gate.begun == [0, 2]
    assert lane._working == (-1 if just_given else 0)  # the first one left twice


async def test_what_fails_gives_its_place_back():
    lane = make(at_once=1)

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await lane.run(fail)

    assert await lane.run(lambda: Gate.work(_opened(), 1)) == 1


def _opened() -> Gate:
    gate = Gate()
    gate.open.set()
    return gate


async def test_who_only_waits_for_somebody_else_gives_its_place_to_the_next_and_once():
    lane, gate, calling = make(at_once=1), Gate(), asyncio.Event()

    async def call() -> None:
        lanes.leave()
        lanes.leave()
        await calling.wait()

    caller, after, last = (
        asyncio.create_task(lane.run(work)) for work in (call, lambda: gate.work(1), lambda: gate.work(2))
    )
    await settled()
    begun = list(gate.begun)
    calling.set()
    await caller
    after_call = list(gate.begun)
    gate.open.set()

    assert (begun, after_call, await after, await last) == ([1], [1], 1, 2)


class Clock:
    """Stands still but for the steps that are made: each takes a millisecond."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def steps(self, name: str, seen: list[str], count: int) -> None:
        for _ in range(count):
            seen.append(name)
            self.now += 0.001
            await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(lanes, "perf_counter", made)
    monkeypatch.setattr(lanes, "thread_time", made)
    return made


@pytest.fixture
def others(monkeypatch) -> lanes.Others:
    made = lanes.Others()
    monkeypatch.setattr(lanes, "others", made)
    return made


async def test_a_lane_makes_one_step_a_turn_however_many_are_under_way(clock, others):
    lane, seen = make(at_once=10), []

    async def reader() -> None:
        for _ in range(12):
            seen.append("reader")
            await asyncio.sleep(0)

    crowd = [asyncio.create_task(lane.run(lambda: clock.steps("order", seen, 3))) for _ in range(10)]
    await asyncio.gather(reader(), *crowd)

    turns = "".join("r" if one == "reader" else "o" for one in seen)
    assert turns.count("o") == 30
    assert "oo" not in turns[: turns.rindex("r")].lstrip("o")


async def test_what_is_done_for_many_comes_before_single_requests(clock, others):
    lane, seen = make(at_once=10), []

    crowd = [asyncio.create_task(lane.run(lambda: clock.steps("o", seen, 3))) for _ in range(10)]
    await asyncio.sleep(0)
    batch = asyncio.create_task(lane.paced(clock.steps("b", seen, 3)))
    await asyncio.gather(batch, *crowd)

    assert "".join(seen).rindex("b") < 10
    assert len(seen) == 33


async def test_while_somebody_else_is_answered_a_lane_takes_a_quarter_of_the_time(clock, others):
    lane, seen = make(at_once=10), []
    others.begin()

    crowd = [asyncio.create_task(lane.run(lambda: clock.steps("order", seen, 3))) for _ in range(10)]
    await settled()
    alone = len(seen)
    clock.now += 0.0029
    await settled()
    too_soon = len(seen)
    others.end()
    await asyncio.gather(*crowd)

    assert (alone, too_soon, len(seen)) == (1, 1, 30)


async def test_somebody_else_who_takes_long_does_not_hold_a_lane_up(clock, others):
    lane, seen = make(), []
    others.begin()
    clock.now += lanes.NEWS_S

    placed = asyncio.create_task(lane.run(lambda: clock.steps("order", seen, 50)))
    for _ in range(20):
        await settled()
    is_placed = placed.done()
    placed.cancel()

    assert (is_placed, len(seen)) == (True, 50)


@pytest.mark.parametrize(("came_ago_s", "rested"), [(0.0, [0.003]), (lanes.ABOUT_S, [])])
async def test_a_batch_is_followed_by_as_long_a_rest_where_others_are_about(
    clock, others, monkeypatch, came_ago_s, rested
):
    lane, rests = make(), []

    async def sleep(seconds: float) -> None:
        rests.append(pytest.approx(seconds))

    others.begin()
    others.end()
    clock.now += came_ago_s
    await lane.rest()
    await lane.paced(clock.steps("batch", [], 3))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await lane.rest()

    assert rests == rested


async def test_the_longest_rest_is_bounded(clock, others, monkeypatch):
    lane, rests = make(), []

    async def sleep(seconds: float) -> None:
        rests.append(pytest.approx(seconds))

    await lane.paced(clock.steps("batch", [], 300))
    others.begin()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await lane.rest()

    assert rests == [lanes.MOST_REST_S]
