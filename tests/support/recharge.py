"""Recharges as a phone makes them, and the platform's side of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from backend.ledger import queries as ledger
from backend.ledger.types import Document
from tests.support.members import Phone

WECHAT = "/mock/wechat"


async def begin(phone: Phone, *, key: str | None = None, **body: Any) -> dict[str, Any]:
    """Open a recharge; what the phone was answered."""
    made = await phone.call("POST", "/v1/member/recharges", body, key=key or uuid.uuid4().hex)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


async def pay(client: httpx.AsyncClient, recharge_id: str, **how: Any) -> httpx.Response:
    """Act as the payer at the platform."""
    return await client.post(f"{WECHAT}/pay/{recharge_id}/pay", json=how)


async def faults(client: httpx.AsyncClient, **faults: Any) -> None:
    """Say how notifications go wrong; without arguments they go right again."""
    answer = await client.put(f"{WECHAT}/faults", json=faults)
    assert answer.status_code == 200, answer.text


async def notifications(client: httpx.AsyncClient, recharge_id: str) -> list[dict[str, Any]]:
    """What the platform sent about an order, newest first."""
    answer = await client.get(f"{WECHAT}/notifications", params={"out_trade_no": recharge_id})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def all_answered(client: httpx.AsyncClient, recharge_id: str, count: int) -> list[dict[str, Any]]:
    """The order's notifications, once that many were answered."""

    async def ready() -> bool:
        return sum(item["attempts"] > 0 for item in await notifications(client, recharge_id)) >= count

    await until(ready)
    return await notifications(client, recharge_id)


async def status(phone: Phone, recharge_id: str) -> str:
    """How the phone sees the recharge."""
    answer = await phone.call("GET", f"/v1/member/recharges/{recharge_id}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["status"])


async def document(phone: Phone, recharge_id: str) -> Document:
    """The recharge as it is stored."""
    found = await ledger.find_document(phone.member_id, recharge_id)
    assert found is not None
    return found


async def in_state(phone: Phone, recharge_id: str, state: str) -> Document:
    """The recharge, once it is in that state."""

    async def ready() -> bool:
        return (await document(phone, recharge_id)).state == state

    await until(ready)
    return await document(phone, recharge_id)


async def until(ready: Callable[[], Awaitable[bool]], *, seconds: float = 60.0) -> None:
    """Wait until it is so, or fail."""
    async with asyncio.timeout(seconds):
        while not await ready():
            await asyncio.sleep(0.03)
