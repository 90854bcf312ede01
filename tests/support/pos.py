"""A till as an integrator writes it, from the published formula; of ours only the clock, which tests move."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from backend.kernel import clock


@dataclass(frozen=True)
class Till:
    """A terminal's id and secret, and where the server is."""

    base_url: str
    terminal_id: str
    secret: str
    store_id: str

    def authorization(
        self, method: str, target: str, body: bytes, key: str = "", *, at: int | None = None, nonce: str | None = None
    ) -> str:
        """The Authorization header for a request."""
        timestamp = int(clock.now().timestamp()) if at is None else at
        nonce = nonce or secrets.token_hex(12)
        signed = f"{method}\n{target}\n{timestamp}\n{nonce}\n{key}\n{hashlib.sha256(body).hexdigest()}"
        signature = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        return (
            f"HUIYUAN-HMAC-SHA256 terminal={self.terminal_id},timestamp={timestamp},nonce={nonce},signature={signature}"
        )

    async def send(
        self, client: httpx.AsyncClient, method: str, target: str, body: object = None, *, key: str | None = None
    ) -> httpx.Response:
        """Sign and send; POSTs get a fresh Idempotency-Key unless one is given."""
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        if key is None and method == "POST":
            key = uuid.uuid4().hex
        headers = {"Authorization": self.authorization(method, target, raw, key or "")}
        if key:
            headers["Idempotency-Key"] = key
        if raw:
            headers["Content-Type"] = "application/json"
        return await client.request(method, target, content=raw, headers=headers)

    async def get(self, client: httpx.AsyncClient, target: str) -> httpx.Response:
        """GET, signed."""
        return await self.send(client, "GET", target)

    async def post(
        self, client: httpx.AsyncClient, target: str, body: object, *, key: str | None = None
    ) -> httpx.Response:
        """POST, signed."""
        return await self.send(client, "POST", target, body, key=key)

    async def sell(
        self, client: httpx.AsyncClient, code: str, *, fen: int = 1000, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """A sale of one article without a category of ours."""
        body: dict[str, Any] = {
            "code": code,
            "order_no": uuid.uuid4().hex[:16],
            "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}],
        }
        return await self.post(client, "/v1/pos/sales", body | more, key=key)
