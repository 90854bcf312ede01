"""uvicorn's HTTP protocol with what it lacks: bounds on headers, queues and slow readers, and refusals as problems.

uvicorn closes a connection that is idle *between* requests (keep-alive), but one that never finishes its headers, sends
them byte by byte, or never takes its answer, stays open for ever; and its parser puts no bound on headers, nor on the
requests that a client sends ahead. What one address may cost is bounded by time and size, never by a number of
connections of that address: a shop's tills and customers share one.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from functools import cache
from typing import Any, NoReturn, cast
from weakref import WeakKeyDictionary

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from backend.kernel import config

from .one_piece import OnePiece
from .problems import MEDIA_TYPE, title_of

MAX_HEADER_BYTES = 32 * 1024
MAX_HEADERS = 100
MAX_AHEAD = 16
"""Requests that a client may send before the first is answered; each is kept in memory until its turn."""

MAX_CONNECTIONS = 10_000
"""Open connections of one process; more are closed at once."""

CROWD = 512
"""Connections without a whole request beyond which newcomers have only ``HURRIED_S`` for their headers."""

HURRIED_S = 1.0
HURRIED_IDLE_S = 5
"""How long a connection may be idle between requests once half of ``MAX_CONNECTIONS`` are open."""

DRAIN_S = 20.0
"""A client that takes nothing of its answer for this long is cut off; else its answer stays in memory."""

_REFUSALS = {
    400: ("bad_request", "what was sent is not HTTP"),
    408: ("request_timeout", "the request's headers did not arrive in time"),
    431: ("headers_too_large", "the request's headers are too large"),
}


class _Refused(Exception):
    """The connection is closed; the parser turns this into an error of its own."""


class _Crowd:
    """How many connections of one server have not sent a whole request."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0


_crowds: WeakKeyDictionary[ServerState, _Crowd] = WeakKeyDictionary()


def _crowd_of(server: ServerState) -> _Crowd:
    return _crowds.setdefault(server, _Crowd())


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
        self._drain_timer: TimerHandle | None = None
        self._crowd = _crowd_of(self.server_state)
        self._running: RequestResponseCycle | None = None
        self._retiring = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client that connects and says nothing has the same time as one that dawdles."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers with the connection."""
        self._headers_are_there()
        self._drained()
        super().connection_lost(exc)
        # uvicorn tells the newest request only, which may be one that waits for its turn.
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

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

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, unless there are too many."""
        if len(self.headers) >= MAX_HEADERS:
            self._stop(431)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A request's headers are all here. What came in one piece was not measured before."""
        self._headers_are_there()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEADER_BYTES:
            self._stop(431)
        if len(self.pipeline) >= MAX_AHEAD:
            self._stop(400)
        super().on_headers_complete()
        if self._retiring:
            self.retire()

    def retire(self) -> None:
        """Serve on, but the next answer is the last on this connection, and says so (``Connection: close``).

        An answer that has begun is too late to say it, so its connection stays for one more request.
        """
        self._retiring = True
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_started:
            cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if cycle.scope["method"] != "HEAD" and not cycle.waiting_for_100_continue:
            cycle.transport = cast(Transport, OnePiece(self.transport))
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Keep the connection, but not for long where there are many."""
        if len(self.connections) > MAX_CONNECTIONS // 2:
            self.timeout_keep_alive = HURRIED_IDLE_S
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._expect_drain()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one that has not even taken its last answer would never close."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        """The client does not take what it asked for: it has a while, then the connection is cut."""
        super().pause_writing()
        self._expect_drain()

    def resume_writing(self) -> None:
        """The client takes it."""
        self._drained()
        super().resume_writing()

    def _expect_drain(self) -> None:
        if self._drain_timer is None:
            self._drain_timer = self.loop.call_later(DRAIN_S, self.transport.abort)

    def _drained(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None

    def handle_websocket_upgrade(self) -> None:
        """The connection belongs to the WebSocket protocol from here on."""
        self._headers_are_there()
        self._handed_over = True
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400)

    def _expect_headers(self) -> None:
        seconds: float = self._header_timeout_s
        if self._crowd.size >= CROWD:
            seconds = min(seconds, HURRIED_S)
        self._crowd.size += 1
        self._header_timer = self.loop.call_later(seconds, self._headers_are_late)

    def _headers_are_there(self) -> None:
        self._header_bytes = 0
        self._leave_crowd()

    def _leave_crowd(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
            self._crowd.size -= 1

    def _headers_are_late(self) -> None:
        self._leave_crowd()
        if self._header_bytes:
            self._refuse(408)
        else:
            self.transport.close()  # it said nothing, so there is nothing to answer

    def _stop(self, status: int) -> NoReturn:
        """Refuse from within the parser, which must not go on."""
        self._refuse(status)
        raise _Refused

    def _refuse(self, status: int) -> None:
        """Answer with a problem document and close. Not while an earlier request's answer is under way."""
        self._headers_are_there()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(refusal(status))
        self.transport.close()


@cache
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
