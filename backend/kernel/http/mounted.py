"""Mounted applications (pages, the demo's simulator) get the same limits, ids and safety headers as our routes."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp

from backend.kernel import logging
from backend.kernel.config import Settings
from backend.kernel.errors import DomainError, NotFound

from . import problems
from .errors import InternalError, MethodNotAllowed, PayloadTooLarge
from .request import Receive, Request, Send, announced_length
from .types import Response

log = logging.get("http")

_DEFAULTS: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


async def serve(app: ASGIApp, request: Request, receive: Receive, send: Send, settings: Settings) -> int:
    """Let the mounted application answer; plain-text 404 and 405 become problem documents. Gives the status."""
    exchange = _Exchange(request, receive, send, settings.body_limit_bytes)
    try:
        length = announced_length(request)
        if length is not None and length > settings.body_limit_bytes:
            raise PayloadTooLarge(f"a request body may have at most {settings.body_limit_bytes} bytes")
        await app(request.scope, exchange.receive, exchange.send)
    except DomainError as error:
        await exchange.refuse(problems.response(error, request.id))
    except Exception:
        log.exception("http.mounted_failed", path=request.path)
        await exchange.refuse(problems.response(InternalError(), request.id))
    return exchange.status


class _Exchange:
    """One request to a mounted application, watched from both sides."""

    def __init__(self, request: Request, receive: Receive, send: Send, limit: int) -> None:
        self.status = 0
        self._request = request
        self._receive = receive
        self._send = send
        self._left = limit
        self._limit = limit
        self._replaced = False

    async def receive(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise PayloadTooLarge(f"a request body may have at most {self._limit} bytes")
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            given = {name.lower(): value for name, value in headers}
            if message["status"] in (404, 405) and given.get(b"content-type", b"text/plain").startswith(b"text/plain"):
                self._replaced = True
                await self.refuse(self._plain(message["status"], given.get(b"allow", b"GET, HEAD").decode("latin-1")))
                return
            self.status = message["status"]
            headers += [item for item in _DEFAULTS if item[0] not in given]
            headers.append((b"x-request-id", self._request.id.encode()))
            message = {**message, "headers": headers}
        await self._send(message)

    def _plain(self, status: int, allow: str) -> Response:
        error: DomainError = NotFound("there is nothing at this address") if status == 404 else MethodNotAllowed(allow)
        return problems.response(error, self._request.id)

    async def refuse(self, response: Response) -> None:
        """Send a problem document, unless an answer has begun."""
        if self.status:
            return
        self.status = response.status
        headers = [
            *response.headers,
            *_DEFAULTS,
            (b"x-request-id", self._request.id.encode()),
            (b"content-length", str(len(response.body)).encode()),
        ]
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})
