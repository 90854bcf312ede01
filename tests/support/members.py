"""A member's phone as a mini-program writes it: registers over HTTP, makes its codes offline."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import time
import uuid
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any

import httpx

from backend.kernel import clock


@dataclass
class Phone:
    """A registered member's session, and the enrolled device of this phone."""

    client: httpx.AsyncClient
    access_token: str
    refresh_token: str
    member: dict[str, Any]
    openid: str
    device: dict[str, Any] = field(default_factory=dict)

    @property
    def member_id(self) -> int:
        """The member."""
        return int(self.member["id"])

    async def call(self, method: str, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """A call with this session's token."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        if key:
            headers["Idempotency-Key"] = key
        if body is None:
            return await self.client.request(method, path, headers=headers)
        return await self.client.request(method, path, json=body, headers=headers)

    async def enrol(self, name: str = "phone") -> None:
        """Make this phone able to show codes offline."""
        answer = await self.call("POST", "/v1/member/devices", {"name": name})
        assert answer.status_code == 201, answer.text
        self.device = answer.json()

    def code(self, *, steps_ago: int = 0) -> str:
        """The code of the current step (or an earlier one), by the published formula; moved clocks count."""
        step = int(clock.now().timestamp()) // 15 - steps_ago
        return make_code(self.device["handle"], self.device["secret"], step)

    def authorisation(self) -> str:
        """The code to authorise at a till of the current step, by the published formula."""
        step = int(clock.now().timestamp()) // 15
        return make_code(self.device["handle"], self.device["secret"], step, purpose=AUTHORISING)

    async def wallet(self) -> dict[str, Any]:
        """GET /v1/member/wallet."""
        answer = await self.call("GET", "/v1/member/wallet")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


PAYING, AUTHORISING = "70mc1", "71ac1"


def make_code(handle: str, secret: str, step: int, *, purpose: str = PAYING) -> str:
    """A code by the formula of the design document; the purpose is its prefix, and what goes into its digits."""
    key = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    digest = hmac.new(key, purpose[2:].encode() + handle.encode() + step.to_bytes(8, "big"), hashlib.sha256).digest()
    offset = digest[-1] & 15
    number = (int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF) % 10**8
    body = f"{purpose[:2]}{handle}{number:08d}"
    total = 0
    for position, char in enumerate(reversed(body)):
        digit = int(char) * (2 if position % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return body + str(-total % 10)


_numbers = itertools.count(secrets.randbelow(10**8))


def random_phone() -> str:
    """A mobile number nobody has: the next one, from any."""
    return f"139{next(_numbers) % 10**8:08d}"


async def register(
    client: httpx.AsyncClient, *, name: str = "王小明", phone: str | None = None, who: str | None = None
) -> Phone:
    """Log in and register a new member, over HTTP; ``who`` is what the mini-program's platform knows them by."""
    who = who or uuid.uuid4().hex[:12]
    login = await client.post("/v1/member/login", json={"js_code": f"demo-{who}"})
    assert login.status_code == 200, login.text
    tokens = login.json()
    body = {"phone_code": f"phone-{phone or random_phone()}", "name": name, "consents": ["terms", "privacy"]}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    made = await client.post("/v1/member/register", json=body, headers=headers)
    assert made.status_code == 201, made.text
    phone_made = Phone(client, tokens["access_token"], tokens["refresh_token"], made.json(), f"openid-{who}")
    await phone_made.enrol()
    return phone_made


def unix_now() -> int:
    """The machine's clock."""
    return int(time.time())
