"""uvicorn's HTTP protocol with what it lacks: a time limit and a size limit for headers, and refusals as problems.

uvicorn closes a connection that is idle *between* requests (keep-alive), but one that never finishes its headers, or
sends them byte by byte, stays open for ever; and its parser puts no bound on them.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from backend.kernel import config

from .problems import MEDIA_TYPE, title_of

MAX_HEADER_BYTES = 64 * 1024
MAX_CONNECTIONS = 10_000
"""Open connections of one process; more are closed at once."""

_REFUSALS = {
    400: ("bad_request", "what was sent is not HTTP"),
    408: ("request_timeout", "the request's headers did not arrive in time"),
    431: ("headers_too_large", "the request's headers are too large"),
}


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A client that is slow with its headers, or never stops sending them, is refused and closed.

    Between requests uvicorn's own keep-alive limit holds; the time for the body is the application's to watch.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timeout_s = config.settings().header_timeout_s
        self._header_timer: TimerHandle | None = None
        self._header_bytes = 0
        self._handed_over = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client that connects and says nothing has the same time as one that dawdles."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._headers_are_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Most requests come in one piece: their headers are complete here, and no timer was ever started.

        What comes while no request is being worked on counts as headers, empty lines and the rest of a body whose
        request was answered early too.
        """
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn's types say
        if self._handed_over or not (cycle is None or cycle.response_complete):
            return
        if cycle is None or not cycle.more_body:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(431)
                return
        if self._header_timer is None and not self.transport.is_closing():
            self._expect_headers()

    def on_headers_complete(self) -> None:
        """A request's headers are all here."""
        self._headers_are_there()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """The connection belongs to the WebSocket protocol from here on."""
        self._headers_are_there()
        self._handed_over = True
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400)

    def _expect_headers(self) -> None:
        self._header_timer = self.loop.call_later(self._header_timeout_s, self._headers_are_late)

    def _headers_are_there(self) -> None:
        self._header_bytes = 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_are_late(self) -> None:
        self._header_timer = None
        if self._header_bytes:
            self._refuse(408)
        else:
            self.transport.close()  # it said nothing, so there is nothing to answer

    def _refuse(self, status: int) -> None:
        """Answer with a problem document and close. Not while an earlier request's answer is under way."""
        self._headers_are_there()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(refusal(status))
        self.transport.close()


def refusal(status: int) -> bytes:
    """A whole HTTP answer for a request that never became one."""
    code, detail = _REFUSALS[status]
    title = title_of(status)
    problem = {"type": f"urn:huiyuan:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\ncache-control: no-store\r\n"
        f"x-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
