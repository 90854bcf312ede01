"""A limit holds exactly when it is small, across processes, and without Redis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.kernel import clock, limits, redis
from backend.kernel.errors import RateLimited

from .conftest import Cache
from .http.conftest import make_settings

NOON = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def still_clock() -> object:
    limits.forget()
    clock.freeze(NOON)
    yield
    clock.reset()
    limits.forget()


@pytest.fixture
async def shared(cache: Cache) -> AsyncIterator[Cache]:
    await redis.open_client(make_settings(redis_url=cache.url))
    yield cache
    await redis.close_client()


async def passes(key: str, limit: int, tries: int) -> int:
    """How many of the tries are let through."""
    passed = 0
    for _ in range(tries):
        try:
            await limits.hit(key, limit)
        except RateLimited:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize("limit", [1, 3, 16, 100, 1000])
async def test_lets_exactly_the_limit_through(shared: Cache, limit: int) -> None:
    assert await passes("k", limit, limit * 2) == limit


@pytest.mark.parametrize("limit", [1, 20, 1000])
async def test_holds_locally_without_redis(limit: int) -> None:
    assert await passes("k", limit, limit * 2) == limit


async def test_keys_and_windows_do_not_mix(shared: Cache) -> None:
    assert await passes("a", 2, 5) == 2
    assert await passes("b", 2, 5) == 2
    await limits.hit("a", 2, window_s=10)


async def test_says_when_to_come_back_and_means_it(shared: Cache) -> None:
    clock.freeze(NOON + timedelta(seconds=15))
    await passes("k", 5, 5)

    with pytest.raises(RateLimited) as refused:
        await limits.hit("k", 5)

    wait = refused.value.retry_after_s
    assert wait is not None
    assert 45 <= wait <= 60
    clock.freeze(NOON + timedelta(seconds=15 + wait))
    await limits.hit("k", 5)


async def test_a_window_slides_so_that_two_bursts_around_its_edge_are_one(shared: Cache) -> None:
    clock.freeze(NOON + timedelta(seconds=59))
    assert await passes("k", 60, 60) == 60

    clock.freeze(NOON + timedelta(seconds=61))
    assert await passes("k", 60, 60) <= 2
    clock.freeze(NOON + timedelta(seconds=90))
    assert 28 <= await passes("k", 60, 60) <= 31


async def test_goes_on_with_its_own_count_when_redis_dies(shared: Cache) -> None:
    assert await passes("k", 100, 60) == 60
    shared.stop()

    assert await passes("k", 100, 100) == 40


async def test_processes_share_a_limit(shared: Cache) -> None:
    program = f"""
import asyncio, sys
from datetime import datetime, UTC
from backend.kernel import clock, limits, redis
from backend.kernel.errors import RateLimited
from tests.kernel.http.conftest import make_settings
async def main():
    clock.freeze(datetime.fromisoformat("{NOON.isoformat()}"))
    await redis.open_client(make_settings(redis_url="{shared.url}"))
    passed = 0
    for _ in range(400):
        try:
            await limits.hit("k", 400); passed += 1
        except RateLimited:
            pass
    print(passed)
asyncio.run(main())
"""
    others = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(2)]

    total = sum(int(other.communicate(timeout=60)[0]) for other in others)

    assert 400 <= total <= 400 * (1 + 2 / 16)


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 100)

    for number in range(500):
        await limits.hit(f"address:{number}", 10)

    assert len(limits._windows) == 100
