"""Boxes, and those who read them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.members import Phone
from tests.support.seed import Chain, Login
from tests.support.staff import StaffSession, log_in
from tests.support.tickets import bearer, fetch

BOXES = "/v1/admin/suggestion-boxes"
INBOX = "/v1/admin/suggestions"
ANONYMOUS = "/v1/anonymous/suggestions"
MINE = "/v1/anonymous/suggestion"


async def hire(
    client: httpx.AsyncClient, chain: Chain, admin: StaffSession, username: str, role: str, store_id: str | None
) -> tuple[str, StaffSession]:
    """Somebody new of the staff: id and session."""
    body = {"username": username, "password": "correct horse", "role": role, "store_id": store_id}
    made = await admin.post("/v1/admin/staff", body)
    assert made.status_code == 201, made.text
    chain.staff.append(Login(username, "correct horse", role, store_id))
    staff_id: str = made.json()["staff"]["id"]
    return staff_id, await log_in(client, chain, username)


async def own_id(session: StaffSession) -> str:
    """Whose session it is."""
    found: str = (await session.get("/v1/admin/me")).json()["staff"]["id"]
    return found


async def make_box(admin: StaffSession, *administrators: str, **fields: Any) -> dict[str, Any]:
    """POST /v1/admin/suggestion-boxes."""
    body = {"title": "食堂", "topic": "说说食堂", "administrators": list(administrators)} | fields
    answer = await admin.post(BOXES, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def suggest(phone: Phone, box: dict[str, Any], text: str = "早点开门", *, key: str = "s") -> dict[str, Any]:
    """A signed suggestion."""
    path = f"/v1/member/suggestion-boxes/{box['id']}/suggestions"
    answer = await phone.call("POST", path, {"text": text}, key=key)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def whisper(phone: Phone, box: dict[str, Any], text: str = "经理收回扣", **fields: Any) -> dict[str, Any]:
    """An anonymous one: the receipt and what is shown."""
    (ticket,) = await fetch(phone)
    body = {"box_id": box["id"], "text": text} | fields
    answer = await bearer(phone.client, "POST", ANONYMOUS, ticket, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
