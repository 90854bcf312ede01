"""Many at once: a member with many phones, and how answers are counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable

import httpx

from backend.kernel import clock
from tests.support.members import Phone, make_code


async def at_once(calls: Iterable[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Every call started before the first is answered."""
    return list(await asyncio.gather(*calls))


async def codes_of(phone: Phone, count: int) -> list[str]:
    """One code each of so many devices of the member, all good now."""
    made = await at_once(phone.call("POST", "/v1/member/devices", {"name": f"{n}"}) for n in range(count))
    assert all(answer.status_code == 201 for answer in made)
    step = int(clock.now().timestamp()) // 15
    return [make_code(answer.json()["handle"], answer.json()["secret"], step) for answer in made]


def outcomes(answers: Iterable[httpx.Response]) -> Counter[object]:
    """How often each success status and each refusal's code came."""
    return Counter(answer.status_code if answer.status_code < 400 else answer.json()["code"] for answer in answers)
