"""A simulated system of the chain that takes webhooks, under ``/mock/mis``: it checks signatures and shows what came.

Read from Standard Webhooks, not from the sender. ``POST /hook`` takes a call, ``GET /calls`` shows the last ones,
``PUT /secret`` says with which secret they are signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .state import Store
from .wire import PayError, decode, json_response, read_body

KEPT = 500
PAGE = 100
SKEW_S = 300

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mis_secret (one boolean PRIMARY KEY DEFAULT true CHECK (one), secret text NOT NULL);
CREATE TABLE IF NOT EXISTS mis_call (
    id text PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, body jsonb NOT NULL, at timestamptz NOT NULL);
"""


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class MisConfig:
    """Where calls are kept, and the clock."""

    database_url: str
    now: Callable[[], datetime] = field(default=_system_clock, compare=False)


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What calls are signed with: ``whsec_`` and base64."""

    secret: Annotated[str, Meta(pattern=r"^whsec_[A-Za-z0-9+/=]{24,100}$")]


class Mis:
    """The system as an ASGI application; it connects to its database at the first request."""

    def __init__(self, config: MisConfig) -> None:
        self._config = config
        self._store = Store(config.database_url, _SCHEMA)
        self.app = Starlette(
            routes=[
                Route("/hook", self._take, methods=["POST"]),
                Route("/calls", self._calls),
                Route("/secret", self._put_secret, methods=["PUT"]),
            ]
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    async def use_secret(self, secret: str) -> None:
        """Take what is signed with this secret from now on."""
        await self._store.fetch(
            "INSERT INTO mis_secret (secret) VALUES ($1) ON CONFLICT (one) DO UPDATE SET secret = $1", secret
        )

    async def _put_secret(self, request: Request) -> Response:
        try:
            await self.use_secret(decode(await read_body(request), Secret).secret)
        except PayError:
            return Response(status_code=422)
        return Response(status_code=204)

    async def _take(self, request: Request) -> Response:
        """Keep a call that is signed and fresh, once for each id."""
        body = await read_body(request)
        row = await self._store.fetchrow("SELECT secret FROM mis_secret")
        if row is None or not self._is_good(request, body, row["secret"]):
            return Response(status_code=401)
        try:
            said = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return Response(status_code=422)
        async with self._store.transaction() as connection:
            await connection.execute(
                "INSERT INTO mis_call (id, body, at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
                request.headers["webhook-id"][:64], said, self._config.now(),
            )  # fmt: skip
            await connection.execute("DELETE FROM mis_call WHERE seq <= (SELECT max(seq) FROM mis_call) - $1", KEPT)
        return Response(status_code=204)

    def _is_good(self, request: Request, body: bytes, secret: str) -> bool:
        given, at = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not (given.isascii() and 0 < len(given) <= 64 and at.isascii() and at.isdigit() and len(at) <= 12):
            return False
        if abs(self._config.now().timestamp() - int(at)) > SKEW_S:
            return False
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return False
        digest = hmac.new(key, f"{given}.{at}.".encode() + body, hashlib.sha256).digest()
        good = ("v1," + base64.b64encode(digest).decode()).encode()
        shown = request.headers.get("webhook-signature", "").split()[:10]
        return any(hmac.compare_digest(good, one.encode()) for one in shown)

    async def _calls(self, _: Request) -> Response:
        rows = await self._store.fetch("SELECT id, body, at FROM mis_call ORDER BY seq DESC LIMIT $1", PAGE)
        return json_response({"items": [{"id": row["id"], "at": row["at"], **row["body"]} for row in rows]})


def build_mis(config: MisConfig) -> Mis:
    """The system, to be mounted."""
    return Mis(config)
