"""A simulated SMS gateway, read from docs/messages-sms.md by other eyes than the driver: takes messages, tells what
became of them, and lets one answer as the person who got them.

Nothing is sent anywhere. ``GET /sent?phone=`` shows what was, ``POST /replies`` answers in the receiver's name, and
``PUT /faults`` makes the gateway busy, forgetful or late.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .crypto import random_string
from .state import Store
from .wire import PayError, decode, json_response, read_body

log = logging.getLogger("miniapp_mock")

SKEW_S = 300
ATTEMPTS = 8
PAGE = 100

_AUTHORIZATION = re.compile(
    r"HUIYUAN-HMAC-SHA256 key=sms,timestamp=(\d{1,12}),nonce=([!-+\--~]{16,64}),signature=([0-9a-f]{64})"
)
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_SIGNED = re.compile("【[^】]{1,20}】")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sms_message (
    id text PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, message_id text NOT NULL, body jsonb NOT NULL,
    phone text NOT NULL, segments int NOT NULL, at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS sms_message_phone ON sms_message (phone, seq);
CREATE TABLE IF NOT EXISTS sms_push (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, path text NOT NULL, item jsonb NOT NULL,
    due_at timestamptz NOT NULL, attempts int NOT NULL DEFAULT 0, last_status int, done boolean NOT NULL DEFAULT false);
CREATE INDEX IF NOT EXISTS sms_push_due ON sms_push (due_at) WHERE NOT done;
CREATE TABLE IF NOT EXISTS sms_nonce (nonce text PRIMARY KEY, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS sms_faults (one boolean PRIMARY KEY DEFAULT true CHECK (one), body jsonb NOT NULL);
DELETE FROM sms_message WHERE at < clock_timestamp() - interval '7 days';
DELETE FROM sms_push WHERE due_at < clock_timestamp() - interval '7 days';
DELETE FROM sms_nonce WHERE at < clock_timestamp() - interval '1 day';
"""


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class SmsConfig:
    """The gateway's side: its memory, the secret it shares with the backend, and where it reports to."""

    database_url: str
    base_url: str
    secret: str
    now: Callable[[], datetime] = field(default=_system_clock, compare=False)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: Annotated[str, Meta(max_length=20)]
    text: Annotated[str, Meta(min_length=1, max_length=1000)]
    kind: Literal["service", "marketing"]


class Answered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person with that number writes back."""

    phone: str
    text: Annotated[str, Meta(min_length=1, max_length=500)]


class SmsFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong from now on.

    Attributes:
        busy: so many further messages are answered with 503 and ``Retry-After: 1``, and not taken.
        lose_answer: so many are taken, and answered with 502.
        refuse: the code that numbers are refused with, by number.
        receipt: what is reported of what was taken; ``none``: nothing.
        receipt_reason: why, where that is ``failed``.
        duplicate: every report is sent so many times more.
        delay_s: wait before the answer.
    """

    busy: Annotated[int, Meta(ge=0, le=1000)] = 0
    lose_answer: Annotated[int, Meta(ge=0, le=1000)] = 0
    refuse: dict[str, str] = {}
    receipt: Literal["delivered", "failed", "none"] = "delivered"
    receipt_reason: str = "unreachable"
    duplicate: Annotated[int, Meta(ge=0, le=5)] = 0
    delay_s: Annotated[float, Meta(ge=0, le=60)] = 0


class SmsGateway:
    """The gateway as an ASGI application; it connects to its database at the first request."""

    def __init__(self, config: SmsConfig) -> None:
        self._config = config
        self._store = Store(config.database_url, _SCHEMA)
        self._reports = Reports(config, self._store)
        calls: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
            ("/messages", "POST", self._send),
            ("/sent", "GET", self._sent),
            ("/replies", "POST", self._reply),
            ("/faults", "PUT", self._set_faults),
        )
        self.app = Starlette(routes=[Route(path, _refusable(call), methods=[verb]) for path, verb, call in calls])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; reports that an earlier process left behind are sent first."""
        if scope["type"] == "http":
            self._reports.wake()
        await self.app(scope, receive, send)

    async def aclose(self) -> None:
        """Stop reporting (what is left stays stored) and close the connections."""
        await self._reports.aclose()
        await self._store.aclose()

    async def _send(self, request: Request) -> Response:
        body = await read_body(request)
        await self._check(request, body)
        message = decode(body, Message)
        faults = await self._faults()
        await asyncio.sleep(faults.delay_s)
        if faults.busy:
            await self._put_faults(msgspec.structs.replace(faults, busy=faults.busy - 1))
            return _refuse(503, "busy", {"Retry-After": "1"})
        if message.phone in faults.refuse:
            return _refuse(422, faults.refuse[message.phone])
        if not _PHONE.fullmatch(message.phone):
            return _refuse(422, "number_invalid")
        if not _SIGNED.match(message.text):
            return _refuse(422, "content_refused")
        units = sum(2 if ord(letter) > 0xFFFF else 1 for letter in message.text)
        count = 1 if units <= 70 else (units + 66) // 67
        if count > 10:
            return _refuse(422, "too_long")
        answer = await self._take(message, count, faults)
        if faults.lose_answer:
            await self._put_faults(msgspec.structs.replace(faults, lose_answer=faults.lose_answer - 1))
            return _refuse(502, "lost")
        return answer

    async def _take(self, message: Message, count: int, faults: SmsFaults) -> Response:
        """Store the message once, with the report of its end; a repeat gets the first answer."""
        said = msgspec.to_builtins(message)
        now = self._config.now()
        async with self._store.transaction() as connection:
            message_id = await connection.fetchval(
                "INSERT INTO sms_message (id, message_id, body, phone, segments, at) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (id) DO NOTHING RETURNING message_id",
                message.id, "sms-" + random_string(20), said, message.phone, count, now,
            )  # fmt: skip
            new = message_id is not None
            if not new:
                row = await connection.fetchrow("SELECT * FROM sms_message WHERE id = $1", message.id)
                if row["body"] != said:
                    return _refuse(409, "conflict")
                message_id, count = row["message_id"], row["segments"]
            elif faults.receipt != "none":
                report = {"id": "rc-" + random_string(20), "delivery_id": message.id, "state": faults.receipt}
                report |= {"reason": faults.receipt_reason} if faults.receipt == "failed" else {}
                for _ in range(1 + faults.duplicate):
                    await self._reports.put(connection, "/v1/messages/sms/receipts", report)
        self._reports.wake()
        return json_response({"message_id": message_id, "segments": count}, 201 if new else 200)

    async def _sent(self, request: Request) -> Response:
        rows = await self._store.fetch(
            "SELECT * FROM sms_message WHERE phone = $1 OR $1 = '' ORDER BY seq DESC LIMIT $2",
            request.query_params.get("phone", ""),
            PAGE,
        )
        items = [
            {**row["body"], "message_id": row["message_id"], "segments": row["segments"], "at": row["at"]}
            for row in rows
        ]
        return json_response({"items": items})

    async def _reply(self, request: Request) -> Response:
        answered = decode(await read_body(request), Answered)
        item = {"id": "rp-" + random_string(20), "phone": answered.phone, "text": answered.text}
        async with self._store.transaction() as connection:
            for _ in range(1 + (await self._faults()).duplicate):
                await self._reports.put(connection, "/v1/messages/sms/replies", item)
        self._reports.wake()
        return json_response({"id": item["id"]}, 202)

    async def _set_faults(self, request: Request) -> Response:
        await self._put_faults(decode(await read_body(request) or b"{}", SmsFaults))
        return Response(status_code=204)

    async def _faults(self) -> SmsFaults:
        row = await self._store.fetchrow("SELECT body FROM sms_faults")
        return msgspec.convert(row["body"], SmsFaults) if row else SmsFaults()

    async def _put_faults(self, faults: SmsFaults) -> None:
        await self._store.fetch(
            "INSERT INTO sms_faults (body) VALUES ($1)"
            " ON CONFLICT (one) DO UPDATE SET body = excluded.body RETURNING 1",
            msgspec.to_builtins(faults),
        )

    async def _check(self, request: Request, body: bytes) -> None:
        """The signature, the time and the nonce, in this order."""
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None:
            raise PayError(401, "signature_invalid", "no signature")
        timestamp, nonce, given = match.groups()
        target = request.scope.get("raw_path", b"").decode("latin-1")
        right = sign(self._config.secret, request.method, target, timestamp, nonce, body)
        if not hmac.compare_digest(right, given):
            raise PayError(401, "signature_invalid", "wrong signature")
        if abs(self._config.now().timestamp() - int(timestamp)) > SKEW_S:
            raise PayError(401, "signature_invalid", "too old")
        fresh = await self._store.fetchrow(
            "INSERT INTO sms_nonce (nonce, at) VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING 1", nonce
        )
        if fresh is None:
            raise PayError(401, "signature_invalid", "this nonce was used")


class Reports:
    """What the backend is told: receipts and replies, stored first, sent until they are taken."""

    def __init__(self, config: SmsConfig, store: Store) -> None:
        self._config = config
        self._store = store
        self._task: asyncio.Task[None] | None = None

    async def put(self, connection: Any, path: str, item: dict[str, Any]) -> None:
        """Store a report; ``wake`` sends it."""
        await connection.execute(
            "INSERT INTO sms_push (path, item, due_at) VALUES ($1, $2, clock_timestamp())", path, item
        )

    def wake(self) -> None:
        """Send what is due, if that is not under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def aclose(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _work(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                wait: float | None = 0.0
                while wait is not None:
                    await asyncio.sleep(wait)
                    wait = await self._send_due(client)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.error("the simulated gateway cannot report: %s", type(error).__name__)

    async def _send_due(self, client: httpx.AsyncClient) -> float | None:
        """Send one report that is due; seconds until the next one, or None where there is none."""
        async with self._store.transaction() as connection:
            row = await connection.fetchrow(
                "SELECT *, extract(epoch FROM due_at - clock_timestamp())::float AS wait FROM sms_push WHERE NOT done"
                " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED"
            )
            if row is None:
                return None
            if row["wait"] > 0:
                return min(float(row["wait"]), 5.0)
            status = await self._post(client, row["path"], row["item"])
            done = 200 <= status < 300 or row["attempts"] + 1 >= ATTEMPTS
            await connection.execute(
                "UPDATE sms_push SET attempts = attempts + 1, last_status = $2, done = $3,"
                " due_at = clock_timestamp() + $4 WHERE seq = $1",
                row["seq"], status, done, timedelta(seconds=2.0 ** row["attempts"]),
            )  # fmt: skip
        return 0.0

    async def _post(self, client: httpx.AsyncClient, path: str, item: dict[str, Any]) -> int:
        now = self._config.now()
        body = msgspec.json.encode({"items": [{**item, "at": now.astimezone(UTC)}]})
        target = urlsplit(self._config.base_url).path.rstrip("/") + path
        timestamp, nonce = str(int(now.timestamp())), os.urandom(12).hex()
        signature = sign(self._config.secret, "POST", target, timestamp, nonce, body)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"HUIYUAN-HMAC-SHA256 key=sms,timestamp={timestamp},nonce={nonce},signature={signature}",
        }
        try:
            answer = await client.post(self._config.base_url.rstrip("/") + path, content=body, headers=headers)
        except httpx.HTTPError:
            return 0
        return answer.status_code


def sign(secret: str, method: str, target: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature of a request, as the page of the interface says."""
    digest = hashlib.sha256(body).hexdigest()
    said = f"{method}\n{target}\n{timestamp}\n{nonce}\n{digest}"
    return hmac.new(secret.encode(), said.encode("latin-1"), "sha256").hexdigest()


def build_sms(config: SmsConfig) -> SmsGateway:
    """The gateway, to be mounted under ``/mock/sms``."""
    return SmsGateway(config)


def _refusable(call: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await call(request)
        except PayError as error:
            return json_response(error.document(), error.status)

    return endpoint


def _refuse(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    answer = json_response({"code": code, "message": code}, status)
    answer.headers.update(headers or {})
    return answer
