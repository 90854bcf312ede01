"""Staff of the seeded chain, logged in."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.support.seed import Chain


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
