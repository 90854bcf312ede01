"""The live channel: once, everywhere, in order, and never in the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
import pytest_asyncio

from backend.kernel import live, redis
from backend.kernel.config import Settings

PUSH_FROM_ANOTHER_PROCESS = """
import asyncio, sys
from backend.kernel import live, redis
from backend.kernel.config import Settings

async def main():
    settings = Settings(database_url="", master_keys="", redis_url=sys.argv[1])
    await redis.open_client(settings)
    await live.start(settings)
    for number in range(int(sys.argv[3])):
        live.push(int(sys.argv[2]), "message", {"number": number})
    await live.stop()
    await redis.close_client()

asyncio.run(main())
"""


def push_elsewhere(url: str, member_id: int, count: int) -> None:
    subprocess.run(
        [sys.executable, "-c", PUSH_FROM_ANOTHER_PROCESS, url, str(member_id), str(count)], check=True, timeout=60
    )


@pytest_asyncio.fixture(loop_scope="session")
async def hub(cache):
    settings = Settings(database_url="", master_keys="", redis_url=cache.url)
    await redis.open_client(settings)
    await live.start(settings)
    yield cache
    await live.stop()
    await redis.close_client()


async def messages(queue: asyncio.Queue, *, count: int, within_s: float = 60, resync: bool = False) -> list[dict]:
    """The next messages; a ``resync`` may come at any time (a slow connect is enough) and counts only if asked for."""
    found: list[dict] = []
    async with asyncio.timeout(within_s):
        while len(found) < count:
            message = await queue.get()
            if resync or message["type"] != live.RESYNC:
                found.append(message)
    return found


async def test_reaches_every_phone_of_the_member_here_and_no_other(hub):
    async with live.subscribe(1) as first, live.subscribe(1) as second, live.subscribe(2) as other:
        live.push(1, "sale_completed", {"id": "S1"})

        assert await messages(first, count=1) == [{"type": "sale_completed", "data": {"id": "S1"}}]
        assert await messages(second, count=1) == [{"type": "sale_completed", "data": {"id": "S1"}}]
        assert other.empty()


async def test_reaches_phones_of_other_processes_in_order(hub):
    async with live.subscribe(7) as queue:
        await asyncio.to_thread(push_elsewhere, hub.url, 7, 50)

        arrived = await messages(queue, count=50)

    assert [message["data"]["number"] for message in arrived] == list(range(50))


async def test_delivers_once_to_a_phone_of_the_pushing_process(hub):
    async with live.subscribe(3) as queue:
        live.push(3, "message", {"number": 1})
        await asyncio.to_thread(push_elsewhere, hub.url, 3, 1)  # by then ours has come back through Redis

        arrived = await messages(queue, count=2)

        assert [message["data"]["number"] for message in arrived] == [1, 0]
        assert queue.empty()


async def test_delivers_here_while_redis_is_gone(hub):
    hub.stop()

    async with live.subscribe(4) as queue:
        live.push(4, "recharged", {"id": "R1"})

        assert await messages(queue, count=1) == [{"type": "recharged", "data": {"id": "R1"}}]


async def test_says_resync_after_redis_came_back_and_hears_the_others_again(hub):
    async with live.subscribe(5) as queue:
        hub.stop()
        hub.start()

        assert await messages(queue, count=1, resync=True) == [{"type": "resync", "data": {}}]

        await asyncio.to_thread(push_elsewhere, hub.url, 5, 1)
        assert await messages(queue, count=1) == [{"type": "message", "data": {"number": 0}}]


async def test_a_phone_that_does_not_read_gets_a_bounded_queue_and_a_resync(hub):
    async with live.subscribe(6) as queue:
        for number in range(live.QUEUE_SIZE + 3):
            live.push(6, "message", {"number": number})

        assert queue.qsize() <= live.QUEUE_SIZE
        kept = [queue.get_nowait() for _ in range(queue.qsize())]
        assert kept[0]["type"] == "resync"
        assert [message["data"]["number"] for message in kept[1:]] == [64, 65, 66]


async def test_push_returns_at_once_while_redis_hangs(hub):
    live.push(1, "message", {})
    await asyncio.sleep(0.05)
    hub.freeze()
    started = time.thread_time()

    for _ in range(20_000):
        live.push(1, "message", {"a": 1})

    hub.thaw()
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("data", [{"x": object()}, {"x": {1: object()}}, {"x": "\ud800"}])
async def test_push_raises_nothing_for_what_cannot_be_sent(hub, data):
    async with live.subscribe(8) as queue:
        live.push(8, "message", data)
        live.push(8, "message", {"ok": True})

        assert await messages(queue, count=1) == [{"type": "message", "data": {"ok": True}}]


async def test_leaves_the_channel_with_the_last_phone(hub):
    client = redis.client()
    assert client is not None
    async with live.subscribe(9), live.subscribe(9):
        assert await client.pubsub_numsub("live:9") == [(b"live:9", 1)]

    async with asyncio.timeout(60):
        while await client.pubsub_numsub("live:9") != [(b"live:9", 0)]:
            await asyncio.sleep(0.01)


async def test_works_without_start():
    async with live.subscribe(10) as queue:
        live.push(10, "message", {"alone": True})

        assert await messages(queue, count=1) == [{"type": "message", "data": {"alone": True}}]
    await live.stop()
