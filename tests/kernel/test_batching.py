"""Batches: groups of what waits, every caller with its own result, and an end to waiting."""

from __future__ import annotations

import asyncio

import pytest

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


async def test_with_spread_the_lanes_share_what_waits_and_what_runs():
    batches: list[int] = []
    gates: list[asyncio.Event] = []

    async def work(items: list[int]) -> list[int]:
        batches.append(len(items))
        gates.append(asyncio.Event())
        await gates[-1].wait()
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=2, spread=3)
    calls = [asyncio.create_task(batcher.submit(item)) for item in range(10)]
    await _let_run()
    assert batches == [5, 5]  # side by side

    calls += [asyncio.create_task(batcher.submit(item)) for item in range(11)]
    await _let_run()
    gates[0].set()
    await _let_run()
    assert batches == [5, 5, 8]  # half of 11 that wait and 5 that still run: the other lane is soon here for the rest

    gates[1].set()
    await _let_run()
    assert batches == [5, 5, 8, 3]

    gates[2].set()
    gates[3].set()
    assert await asyncio.gather(*calls) == [*range(10), *range(11)]


async def test_few_are_not_shared():
    batches: list[int] = []
    busy = asyncio.Event()

    async def work(items: list[int]) -> list[int]:
        batches.append(len(items))
        await busy.wait()
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=2, spread=3)
    calls = [asyncio.create_task(batcher.submit(item)) for item in range(4)]
    await _let_run()
    busy.set()
    await asyncio.gather(*calls)

    assert batches == [3, 1]


async def test_with_spread_what_comes_alone_goes_alone_at_once():
    batches: list[int] = []

    async def work(items: list[int]) -> list[int]:
        batches.append(len(items))
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=2, spread=3)

    assert [await batcher.submit(item) for item in (1, 2)] == [1, 2]
    assert batches == [1, 1]


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
