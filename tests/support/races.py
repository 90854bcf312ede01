"""Many at once: a member with many phones, and how answers are counted."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager

import httpx

from backend.kernel import clock, db
from backend.kernel.batching import Turns
from backend.kernel.config import Settings
from tests.support.books import connected
from tests.support.members import PAYING, Phone, make_code


class NoTurns(Turns):
    """Turns that nobody waits for, as if every request were another process's."""

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Go ahead."""
        yield


async def at_once(calls: Iterable[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Every call started before the first is answered."""
    return list(await asyncio.gather(*calls))


async def held_up(settings: Settings, lock: str, calls: Iterable[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Every call started while somebody holds that lock, and three of them waiting, before it is let go.

    With a lock that none needs to look and each needs to write, they all have looked by then: their race is no chance.
    """
    async with connected(settings, "huiyuan_owner") as other, other.transaction():
        await other.execute(lock)
        asked = [asyncio.ensure_future(call) for call in calls]
        async with asyncio.timeout(60):
            while await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 3:
                await asyncio.sleep(0)
    return await at_once(asked)


_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"


async def held_by_us(call: Awaitable[httpx.Response]) -> asyncio.Task[httpx.Response]:
    """The call, begun while our transaction holds what it needs: it waits for that, or has ended without."""
    task = asyncio.create_task(_answer(call), context=contextvars.Context())
    async with asyncio.timeout(60):
        while not (task.done() or await db.fetchval(_WAITING)):
            await asyncio.sleep(0.01)
    return task


async def _answer(call: Awaitable[httpx.Response]) -> httpx.Response:
    return await call


async def codes_of(phone: Phone, count: int, *, purpose: str = PAYING) -> list[str]:
    """One code each of so many devices of the member, all good now: member codes, or to authorise with."""
    made = await at_once(phone.call("POST", "/v1/member/devices", {"name": f"{n}"}) for n in range(count))
    assert all(answer.status_code == 201 for answer in made)
    step = int(clock.now().timestamp()) // 15
    return [make_code(answer.json()["handle"], answer.json()["secret"], step, purpose=purpose) for answer in made]


def outcomes(answers: Iterable[httpx.Response]) -> Counter[object]:
    """How often each success status and each refusal's code came."""
    return Counter(answer.status_code if answer.status_code < 400 else answer.json()["code"] for answer in answers)
