"""Mounted applications (pages, the demo's simulator) get the same limits, ids and safety headers as our routes."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp

from backend.kernel import logging
from backend.kernel.config import Settings
from backend.kernel.errors import DomainError, NotFound

from . import problems
from .errors import InternalError, MethodNotAllowed, PayloadTooLarge, RequestTimeout
from .request import Receive, Request, Send, announced_length

log = logging.get("http")

_DEFAULTS: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


async def serve(app: ASGIApp, request: Request, receive: Receive, send: Send, settings: Settings) -> int:
    """Let the mounted application answer; its plain 404, 405 and 500 become problem documents. Gives the status."""
    exchange = _Exchange(request, receive, send, settings)
    refusal: DomainError | None = None
    try:
        length = announced_length(request)
        if length is not None and length > settings.body_limit_bytes:
            raise PayloadTooLarge(f"a request body may have at most {settings.body_limit_bytes} bytes")
        await app(request.scope, exchange.receive, exchange.send)
    except DomainError as error:
        refusal = error
    except Exception:
        log.exception("http.mounted_failed")
        refusal = InternalError()
    refusal = refusal or exchange.withheld
    if refusal is not None and not exchange.status:
        await exchange.refuse(refusal)
    return exchange.status


class _Exchange:
    """One request to a mounted application, watched from both sides."""

    def __init__(self, request: Request, receive: Receive, send: Send, settings: Settings) -> None:
        self.status = 0
        self.withheld: DomainError | None = None
        self._request = request
        self._receive = receive
        self._send = send
        self._limit = settings.body_limit_bytes
        self._size = 0
        self._complete = False
        self._deadline = asyncio.get_running_loop().time() + settings.body_timeout_s

    async def receive(self) -> MutableMapping[str, Any]:
        """The next part of the body, within size and time."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout("the request body did not arrive in time") from None
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            raise PayloadTooLarge(f"a request body may have at most {self._limit} bytes")
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Pass an answer on with what it lacks; withhold one that Starlette made for an error."""
        if self.withheld is not None:
            return
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            given = {name.lower(): value for name, value in headers}
            self.withheld = _plain_error(message["status"], given)
            if self.withheld is not None:
                return
            self.status = message["status"]
            headers += [item for item in _DEFAULTS if item[0] not in given]
            headers.append((b"x-request-id", self._request.id.encode()))
            message = {**message, "headers": headers}
        await self._send(message)

    async def refuse(self, error: DomainError) -> None:
        """Answer with a problem document."""
        response = problems.response(error, self._request.id)
        self.status = response.status
        assert isinstance(response.body, bytes)
        headers = [
            *response.headers,
            *_DEFAULTS,
            (b"x-request-id", self._request.id.encode()),
            (b"content-length", str(len(response.body)).encode()),
        ]
        if isinstance(error, PayloadTooLarge | RequestTimeout):
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})


def _plain_error(status: int, headers: dict[bytes, bytes]) -> DomainError | None:
    """The refusal that a framework's plain-text error page stands for."""
    if not headers.get(b"content-type", b"text/plain").startswith(b"text/plain"):
        return None
    if status == 404:
        return NotFound("there is nothing at this address")
    if status == 405:
        return MethodNotAllowed(headers.get(b"allow", b"GET, HEAD").decode("latin-1"))
    return InternalError() if status == 500 else None
