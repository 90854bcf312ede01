"""uvicorn's HTTP protocol with what it lacks: a time limit and a size limit for headers, and refusals as problems."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from backend.kernel import config

MAX_HEADER_BYTES = 64 * 1024

_REFUSALS = {
    400: ("Bad Request", "bad_request", "what was sent is not HTTP"),
    408: ("Request Timeout", "request_timeout", "the request's headers did not arrive in time"),
    431: ("Request Header Fields Too Large", "headers_too_large", "the request's headers are too large"),
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
        self._in_headers = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client that connects and says nothing has the same time as one that dawdles."""
        super().connection_made(transport)
        self._header_timer = self.loop.call_later(self._header_timeout_s, self._refuse, 408)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Most requests come in one piece: their headers are complete here, and no timer was ever started."""
        super().data_received(data)
        if not self._in_headers:
            if self._header_timer is not None:
                self._stop_timer()
            return
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(431)
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self._header_timeout_s, self._refuse, 408)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_headers = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are all here."""
        self._in_headers = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _refuse(self, status: int) -> None:
        """Answer with a problem document and close. Not while an earlier request's answer is under way."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn's types say
        if cycle is None or cycle.response_complete:
            self.transport.write(refusal(status))
        self.transport.close()


def refusal(status: int) -> bytes:
    """A whole HTTP answer for a request that never became one."""
    title, code, detail = _REFUSALS[status]
    problem = {"type": f"urn:huiyuan:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
