"""Gateways and mail servers that report: signed by another hand than the program's."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any

import httpx

from backend.kernel import clock


def authorization(key: str, secret: str, method: str, target: str, body: bytes, **wrong: Any) -> str:
    """The header that signs a request; ``wrong`` replaces what is signed, or the signature."""
    timestamp = str(wrong.get("timestamp", int(clock.now().timestamp())))
    nonce = wrong.get("nonce", secrets.token_hex(12))
    said = f"{method}\n{target}\n{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    signature = wrong.get("signature", hmac.new(secret.encode(), said.encode("latin-1"), "sha256").hexdigest())
    return f"HUIYUAN-HMAC-SHA256 key={key},timestamp={timestamp},nonce={nonce},signature={signature}"


class Reporter:
    """Signs what it posts with a secret; each part of it can be given wrong."""

    def __init__(self, client: httpx.AsyncClient, key: str, secret: str) -> None:
        self.client, self.key, self.secret = client, key, secret

    async def post(self, path: str, body: object, **wrong: Any) -> httpx.Response:
        """POST a body (bytes as they are, all else as JSON); ``wrong`` replaces parts of the signature."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        made = authorization(
            wrong.get("key", self.key),
            wrong.get("secret", self.secret),
            wrong.get("method", "POST"),
            wrong.get("target", path),
            wrong.get("signed_body", content),
            **wrong_parts(wrong),
        )
        headers = {
            "Authorization": wrong.get("header", made),
            "Content-Type": "message/rfc822" if isinstance(body, bytes) else "application/json",
        }
        return await self.client.post(path, content=content, headers=headers)


def wrong_parts(wrong: dict[str, Any]) -> dict[str, Any]:
    """Those of what is given wrong that go into the header as they are."""
    return {name: wrong[name] for name in ("timestamp", "nonce", "signature") if name in wrong}
