"""Commands share pipelines, and a Redis that is gone costs next to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from backend.kernel import redis
from backend.kernel.redis import RedisDown, RedisRefused

from .conftest import Cache
from .http.conftest import make_settings


@pytest.fixture
async def connected(cache: Cache) -> AsyncIterator[Cache]:
    await redis.open_client(make_settings(redis_url=cache.url))
    yield cache
    await redis.close_client()


async def test_returns_the_reply(connected: Cache) -> None:
    assert await redis.call("SET", "k", "v", "NX", "EX", 600) == b"OK"
    assert await redis.call("SET", "k", "w", "NX", "EX", 600) is None
    assert await redis.call("GET", "k") == b"v"
    assert redis.healthy()
    assert redis.client() is not None


async def test_commands_under_way_together_get_their_own_replies(connected: Cache) -> None:
    replies = await asyncio.gather(*(redis.call("ECHO", str(number)) for number in range(500)))

    assert [int(reply) for reply in replies] == list(range(500))


async def test_a_refused_command_fails_alone(connected: Cache) -> None:
    await redis.call("SET", "text", "x")

    replies: list[object] = await asyncio.gather(
        redis.call("INCR", "text"), redis.call("ECHO", "fine"), return_exceptions=True
    )

    assert isinstance(replies[0], RedisRefused)
    assert replies[1] == b"fine"
    assert redis.healthy()


async def answer(*command: str) -> object:
    """What it says when it is there again; on a busy machine not at the first question."""
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(redis.BREAK_S)
            with suppress(RedisDown):
                return await redis.call(*command)


async def test_a_redis_that_died_is_reported_fast_and_then_at_once_and_comes_back(connected: Cache) -> None:
    assert await redis.call("PING") == b"PONG"
    connected.stop()

    with pytest.raises(RedisDown):
        await redis.call("PING")
    started = time.thread_time()
    for _ in range(100):
        with pytest.raises(RedisDown):
            await redis.call("PING")
    assert time.thread_time() - started < 0.5
    assert not redis.healthy()

    connected.start()
    assert await answer("PING") == b"PONG"
    assert redis.healthy()


async def test_a_redis_that_hangs_is_given_up_after_its_time_and_answers_are_not_mixed_up(connected: Cache) -> None:
    await redis.call("SET", "a", "1")
    connected.freeze()
    started = time.perf_counter()

    with pytest.raises(RedisDown):
        await redis.call("GET", "a")

    assert time.perf_counter() - started < 5  # not for as long as it hangs
    connected.thaw()
    assert await answer("ECHO", "mine") == b"mine"


async def test_without_an_address_everything_is_down() -> None:
    await redis.open_client(make_settings(redis_url=""))

    with pytest.raises(RedisDown):
        await redis.call("PING")
    assert not redis.healthy()
    assert redis.client() is None
    await redis.close_client()


async def test_an_address_nobody_listens_at_is_no_error_at_start() -> None:
    await redis.open_client(make_settings(redis_url="unix:///tmp/nobody-listens-here.sock"))

    with pytest.raises(RedisDown):
        await redis.call("PING")
    await redis.close_client()
