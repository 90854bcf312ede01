"""Two members who are one person, for tests: asked for by one of head office, approved by another."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from backend.kernel import outbox
from tests.support.members import Phone
from tests.support.seed import Chain, Login
from tests.support.staff import StaffSession, log_in

MERGES = "/v1/admin/merges"


async def another(office: httpx.AsyncClient, chain: Chain, admin: StaffSession) -> StaffSession:
    """A second person of head office, made where there is none."""
    if all(login.username != "second" for login in chain.staff):
        body = {"username": "second", "password": "correct horse battery", "role": "admin"}
        assert (await admin.post("/v1/admin/staff", body)).status_code == 201
        chain.staff.append(Login("second", "correct horse battery", "admin", None))
    return await log_in(office, chain, "second")


def numbers(source: Phone, target: Phone) -> dict[str, Any]:
    """Which becomes part of which."""
    return {"source_no": source.member["member_no"], "target_no": target.member["member_no"]}


async def ask(admin: StaffSession, source: Phone, target: Phone, *, key: str | None = None) -> httpx.Response:
    """Ask for a merge."""
    body = numbers(source, target) | {"reason": "同一人"}
    return await admin.post(MERGES, body, key=key or uuid.uuid4().hex)


async def approve(second: StaffSession, asked: httpx.Response) -> httpx.Response:
    """Approve it."""
    assert asked.status_code == 202, asked.text
    return await second.post(f"/v1/admin/approvals/{asked.json()['approval_id']}/approve", {})


async def merge(admin: StaffSession, second: StaffSession, source: Phone, target: Phone) -> None:
    """Merge two members, and do what follows from it."""
    done = await approve(second, await ask(admin, source, target))
    assert done.status_code == 200, done.text
    await outbox.drain()


async def approve_waiting(second: StaffSession) -> None:
    """Approve whatever waits for this person."""
    for item in (await second.get("/v1/admin/approvals?todo=true")).json()["items"]:
        done = await second.post(f"/v1/admin/approvals/{item['id']}/approve", {})
        assert done.status_code == 200, done.text
