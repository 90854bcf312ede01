"""Batches: groups of what waits, every caller with its own result, and an end to waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend.kernel import batching
from backend.kernel.batching import Batcher
from backend.kernel.errors import Unavailable


async def test_what_comes_meanwhile_is_one_batch_and_everybody_gets_their_own():
    batches: list[list[int]] = []
    go_on = asyncio.Event()

    async def work(items: list[int]) -> list[int | BaseException]:
        batches.append(items)
        await go_on.wait()
        return [ValueError(item) if item == 3 else item * 10 for item in items]

    batcher: Batcher[int, int] = Batcher(work, max_size=3)
    calls = [asyncio.create_task(batcher.submit(item)) for item in range(1, 6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go_on.set()
    results = await asyncio.gather(*calls, return_exceptions=True)

    assert batches == [[1, 2, 3], [4, 5]]
    assert [result for result in results if not isinstance(result, ValueError)] == [10, 20, 40, 50]
    with pytest.raises(ValueError, match="3"):
        await calls[2]


async def test_a_free_lane_takes_all_that_waits():
    batches: list[int] = []
    busy = asyncio.Event()

    async def work(items: list[int]) -> list[int]:
        batches.append(len(items))
        await busy.wait()
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=2)
    calls = [asyncio.create_task(batcher.submit(item)) for item in range(10)]
    await _let_run()
    busy.set()
    await asyncio.gather(*calls)

    assert batches == [10]


async def test_what_comes_while_a_lane_rests_is_in_its_batch_and_a_second_lane_finds_nothing_left():
    batches: list[list[int]] = []
    rested = asyncio.Event()

    async def work(items: list[int]) -> list[int]:
        batches.append(items)
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=2, patience_s=0.0, rest=lambda: _wait_for(rested))
    calls = [asyncio.create_task(batcher.submit(1))]
    await _let_run()
    calls.append(asyncio.create_task(batcher.submit(2)))
    await _let_run()
    rested.set()

    assert await asyncio.gather(*calls) == [1, 2]
    assert batches == [[1, 2]]


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


class _Lanes:
    """Work that goes on when it is told to, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self.gates: list[asyncio.Event] = []
        self.now = 1000.0
        monkeypatch.setattr(batching, "monotonic", lambda: self.now)

    async def work(self, items: list[int]) -> list[int]:
        self.batches.append(len(items))
        self.gates.append(asyncio.Event())
        await self.gates[-1].wait()
        return items

    async def come(self, batcher: Batcher[int, int], count: int) -> list[asyncio.Task[int]]:
        calls = [asyncio.create_task(batcher.submit(item)) for item in range(count)]
        await _let_run()
        return calls


async def test_with_patience_one_lane_goes_on_with_what_came_meanwhile(monkeypatch):
    lanes = _Lanes(monkeypatch)
    batcher: Batcher[int, int] = Batcher(lanes.work, lanes=2, max_size=8, patience_s=0.1)

    calls = await lanes.come(batcher, 1)
    lanes.now += 0.09
    calls += await lanes.come(batcher, 7)
    assert lanes.batches == [1]

    lanes.gates[0].set()
    await _let_run()
    assert lanes.batches == [1, 7]

    lanes.gates[1].set()
    assert await asyncio.gather(*calls) == [0, *range(7)]


async def test_with_patience_a_whole_batch_starts_another_lane(monkeypatch):
    lanes = _Lanes(monkeypatch)
    batcher: Batcher[int, int] = Batcher(lanes.work, lanes=2, max_size=8, patience_s=0.1)

    calls = await lanes.come(batcher, 1)
    calls += await lanes.come(batcher, 8)

    assert lanes.batches == [1, 8]
    for gate in lanes.gates:
        gate.set()
    assert await asyncio.gather(*calls) == [0, *range(8)]


async def test_with_patience_what_is_held_up_does_not_hold_up_others_for_long(monkeypatch):
    lanes = _Lanes(monkeypatch)
    batcher: Batcher[int, int] = Batcher(lanes.work, lanes=2, max_size=8, patience_s=0.1)

    held_up = await lanes.come(batcher, 1)
    lanes.now += 0.05
    others = await lanes.come(batcher, 1)
    lanes.now += 0.06
    others += await lanes.come(batcher, 1)
    assert lanes.batches == [1, 2]

    lanes.gates[1].set()
    assert await asyncio.gather(*others) == [0, 0]
    others = await lanes.come(batcher, 1)  # the other lane is free, so nobody waits for the one that is held up
    assert lanes.batches == [1, 2, 1]

    for gate in lanes.gates:
        gate.set()
    assert await asyncio.gather(*held_up, *others) == [0, 0]


async def test_the_last_to_come_behind_what_is_held_up_waits_no_longer_than_the_patience():
    held_up, batches = asyncio.Event(), []

    async def work(items: list[str]) -> list[str]:
        batches.append(items)
        if "held up" in items:
            await held_up.wait()
        return items

    batcher: Batcher[str, str] = Batcher(work, lanes=2, patience_s=0.05)
    first = asyncio.create_task(batcher.submit("held up"))
    await _let_run()
    others = [asyncio.create_task(batcher.submit(name)) for name in ("last", "and with it")]

    async with asyncio.timeout(60):
        assert await asyncio.gather(*others) == ["last", "and with it"]

    assert batches == [["held up"], ["last", "and with it"]]
    assert not first.done()
    held_up.set()
    assert await first == "held up"


async def test_however_many_wait_one_wake_up_is_outstanding_and_none_when_all_is_done(monkeypatch):
    lanes = _Lanes(monkeypatch)
    batcher: Batcher[int, int] = Batcher(lanes.work, lanes=2, max_size=8, patience_s=0.05)
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    call_later = loop.call_later

    def keep(*args: Any, **options: Any) -> asyncio.TimerHandle:
        timers.append(call_later(*args, **options))
        return timers[-1]

    monkeypatch.setattr(loop, "call_later", keep)

    calls = await lanes.come(batcher, 1)
    assert timers == []  # who comes alone waits for nobody
    for gate in range(3):
        calls += await lanes.come(batcher, 5)
        lanes.gates[gate].set()
        await _let_run()
    lanes.gates[3].set()
    await asyncio.gather(*calls)
    await batcher.drain()

    assert lanes.batches == [1, 5, 5, 5]
    assert [timer.cancelled() for timer in timers] == [True]


async def test_a_wake_up_that_comes_too_early_is_set_anew(monkeypatch):
    lanes = _Lanes(monkeypatch)
    batcher: Batcher[int, int] = Batcher(lanes.work, lanes=2, max_size=8, patience_s=0.02)

    calls = await lanes.come(batcher, 1)
    calls += await lanes.come(batcher, 1)
    await asyncio.sleep(0.05)
    assert lanes.batches == [1]  # by the clock, no time has passed
    lanes.now += 0.03
    async with asyncio.timeout(60):
        while lanes.batches != [1, 1]:
            await asyncio.sleep(0.005)

    for gate in lanes.gates:
        gate.set()
    assert await asyncio.gather(*calls) == [0, 0]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_another_number_of_results_than_of_items_is_told_to_all(count):
    async def work(items: list[int]) -> list[int]:
        return [7] * count

    batcher: Batcher[int, int] = Batcher(work)
    async with asyncio.timeout(60):
        results = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)

    assert [str(result) for result in results] == [f"{count} results for 2 items"] * 2
    assert all(isinstance(result, ValueError) for result in results)


@pytest.mark.parametrize("lanes", [1, 2])
async def test_who_waits_for_work_that_is_cancelled_is_told_and_who_waits_behind_it_is_served(lanes):
    running: list[asyncio.Task[None] | None] = []
    go_on = asyncio.Event()

    async def work(items: list[int]) -> list[int]:
        running.append(asyncio.current_task())
        if len(running) == 1:
            await go_on.wait()
            raise asyncio.CancelledError
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=lanes, max_size=2, patience_s=60)
    first = asyncio.create_task(batcher.submit(1))
    await _let_run()
    second = asyncio.create_task(batcher.submit(2))
    await _let_run()
    go_on.set()

    async with asyncio.timeout(60):
        with pytest.raises(Unavailable) as refused:
            await first
        assert await second == 2
        await batcher.drain()
    assert refused.value.retry_after_s == 1
    assert running[0] is not None
    assert running[0].cancelled()


async def _let_run() -> None:
    """Until every task has come to where it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_draining_ends_also_when_the_work_is_just_done():
    async def work(items: list[int]) -> list[int]:
        return items

    batcher: Batcher[int, int] = Batcher(work)

    assert await batcher.submit(1) == 1
    await asyncio.wait_for(batcher.drain(), 60)  # its task is over, its callback is not called yet


async def test_draining_waits_for_what_is_under_way():
    done: list[int] = []

    async def work(items: list[int]) -> list[int]:
        await asyncio.sleep(0.01)
        done.extend(items)
        return items

    batcher: Batcher[int, int] = Batcher(work, max_size=1)
    calls = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    await batcher.drain()

    assert done == [1, 2]
    assert await asyncio.gather(*calls) == [1, 2]


async def test_who_finds_the_queue_full_is_told_to_come_back():
    go_on = asyncio.Event()

    async def work(items: list[int]) -> list[int | BaseException]:
        await go_on.wait()
        return list(items)

    batcher: Batcher[int, int] = Batcher(work, max_size=1, max_waiting=2)
    calls = [asyncio.create_task(batcher.submit(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # that one is under way; two more may wait
    calls += [asyncio.create_task(batcher.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refused:
        await batcher.submit(4)
    go_on.set()

    assert refused.value.retry_after_s == 1
    assert await asyncio.gather(*calls) == [1, 2, 3]
