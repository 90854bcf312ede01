"""Staff of the seeded chain, logged in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import httpx

from tests.support.seed import Chain

STAFF = "/v1/admin/staff"
PASSWORD = "green horses run 7"
"""Of everybody who is hired."""


@dataclass
class StaffSession:
    """A staff session over HTTP."""

    client: httpx.AsyncClient
    access_token: str
    refresh_token: str

    async def call(self, method: str, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """A call with this session's token; ``key`` where it must be sent once only."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        if key:
            headers["Idempotency-Key"] = key
        if body is None:
            return await self.client.request(method, path, headers=headers)
        return await self.client.request(method, path, json=body, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        """GET."""
        return await self.call("GET", path)

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """POST."""
        return await self.call("POST", path, body, key=key)


async def log_in(client: httpx.AsyncClient, chain: Chain, username: str, totp: str | None = None) -> StaffSession:
    """Log in somebody of the seeded chain."""
    password = next(login.password for login in chain.staff if login.username == username)
    body = {"username": username, "password": password} | ({"totp": totp} if totp else {})
    answer = await client.post("/v1/admin/login", json=body)
    assert answer.status_code == 200, answer.text
    return StaffSession(client, answer.json()["access_token"], answer.json()["refresh_token"])


async def enter(client: httpx.AsyncClient, username: str, password: str = PASSWORD, **more: str) -> StaffSession:
    """Log in anybody."""
    answer = await client.post("/v1/admin/login", json={"username": username, "password": password} | more)
    assert answer.status_code == 200, answer.text
    return StaffSession(client, answer.json()["access_token"], answer.json()["refresh_token"])


async def hire(admin: StaffSession, role: str = "clerk", store_id: str | None = "S1") -> tuple[str, str]:
    """A new login: its id and its name."""
    username = f"p-{uuid.uuid4().hex[:8]}"
    body = {"username": username, "password": PASSWORD, "role": role, "store_id": store_id}
    answer = await admin.post(STAFF, body)
    assert answer.status_code == 201, answer.text
    return answer.json()["staff"]["id"], username


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Assert that a call was refused so."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
