"""A customer in WeChat's own chat, through the simulator; and what the worker does for customer service."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from backend.kernel import db
from backend.kernel.config import Settings
from backend.kernel.jobs import runner
from backend.worker import load
from tests.support.staff import StaffSession

DESK = "/v1/admin/conversations"


@dataclass
class Customer:
    """Somebody who writes to the mini-program's customer service."""

    client: httpx.AsyncClient
    openid: str

    async def post(self, what: str, body: object = None) -> dict[str, Any]:
        """Do something in the chat; what came back of it."""
        answer = await self.client.post(f"/mock/wechat/customers/{self.openid}/{what}", json=body or {})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def write(self, text: str, **how: object) -> dict[str, Any]:
        """Write a text."""
        return await self.post("messages", {"text": text, **how})

    async def enter(self, **how: object) -> dict[str, Any]:
        """Open the chat."""
        return await self.post("enter", how)

    async def show(self, picture: bytes) -> dict[str, Any]:
        """Send a picture."""
        answer = await self.client.post(f"/mock/wechat/customers/{self.openid}/pictures", content=picture)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def screen(self) -> list[dict[str, Any]]:
        """What the chat shows, oldest first."""
        answer = await self.client.get(f"/mock/wechat/customers/{self.openid}/messages")
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def answers(self) -> list[str]:
        """The texts (and titles of cards) that came back."""
        return [item.get("text") or item.get("title", "") for item in await self.screen() if item["from"] == "service"]


def guest(client: httpx.AsyncClient) -> Customer:
    """Somebody who is no member."""
    return Customer(client, f"openid-{uuid.uuid4().hex[:12]}")


async def work(settings: Settings) -> None:
    """What the worker does with what is due."""
    load()
    await runner.run_waiting(settings)


async def work_when_asked(settings: Settings) -> None:
    """The same, once something that a page did has arrived."""
    due = "SELECT true FROM procrastinate_jobs WHERE status = 'todo' AND task_name LIKE 'conversations.%' LIMIT 1"
    async with asyncio.timeout(60):
        while not await db.fetchval(due):
            await asyncio.sleep(0.02)
    await work(settings)


async def newest() -> str:
    """The conversation that something happened in last."""
    found: int = await db.fetchval("SELECT id FROM conversation ORDER BY created_at DESC, id LIMIT 1")
    return str(found)


async def say(desk: StaffSession, conversation_id: str, text: str, *, key: str | None = None) -> httpx.Response:
    """Answer as staff."""
    return await desk.post(f"{DESK}/{conversation_id}/messages", {"text": text}, key=key or uuid.uuid4().hex)
