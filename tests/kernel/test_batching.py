"""Batches: groups of what waits, every caller with its own result, and an end to waiting."""

from __future__ import annotations

import asyncio

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


async def _let_run() -> None:
    """Until every task has come to where it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_draining_ends_also_when_the_work_is_just_done():
    async def work(items: list[int]) -> list[int]:
        return items

    batcher: Batcher[int, int] = Batcher(work)

    assert await batcher.submit(1) == 1
    await asyncio.wait_for(batcher.drain(), 5)  # its task is over, its callback is not called yet


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
