"""uvicorn's HTTP protocol with what it lacks: bounds on headers, queues and slow readers, and refusals as problems.

uvicorn closes a connection that is idle *between* requests (keep-alive), but one that never finishes its headers, sends
them byte by byte, or never takes its answer, stays open for ever; and its parser puts no bound on headers, nor on the
requests that a client sends ahead. What one address may cost is bounded by time and size, never by a number of
connections of that address: a shop's tills and customers share one.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any, NoReturn, cast
from weakref import WeakKeyDictionary

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from backend.kernel import config

from . import bodies
from .bodies import Bodies
from .one_piece import OnePiece
from .refusals import refuse
from .request import ADMIT

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


class _Refused(Exception):
    """The connection is closed; the parser turns this into an error of its own."""


class _Crowd:
    """What the connections of one server are together: ``size`` of them have not sent a whole request."""

    def __init__(self, bodies: Bodies) -> None:
        self.size = 0
        self.bodies = bodies


_crowds: WeakKeyDictionary[ServerState, _Crowd] = WeakKeyDictionary()


def _crowd_of(server: ServerState, app: Any) -> _Crowd:
    crowd = _crowds.get(server)
    if crowd is None:
        largest = getattr(app, "largest_body_bytes", config.settings().body_limit_bytes)
        crowd = _crowds[server] = _Crowd(Bodies(largest, getattr(app, "largest_admitted_bytes", 0)))
    return crowd


class _Parser(httptools.HttpRequestParser):
    """Reads on where a client wishes for a protocol that we do not speak (a Java client's first request asks for h2c).

    httptools takes all that follows such headers, the body that they announce included, for that protocol. Who stands
    between us and the client takes it for the body, and the next request would be one that somebody hid in there.
    """

    def __init__(self, protocol: LimitedProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn: what comes after the last is dropped

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # what transports give
        """Parse; ``HttpParserUpgrade`` only for a WebSocket."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            if not self._protocol.is_not_granted:
                raise
            self._protocol.read_anew(data[wish.args[0] :])


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A client that is slow with its headers, or never stops sending them, is refused and closed.

    Between requests uvicorn's own keep-alive limit holds; the time for the body is the application's to watch.
    """

    # uvicorn's attributes are nearly as many as an object has room for without a dictionary of its own; with ours among
    # them each of thousands of connections would be 2 KB larger.
    __slots__ = (
        "_bodies", "_crowd", "_deaf", "_drain_timer", "_dropped", "_handed_over", "_header_bytes", "_header_timeout_s",
        "_header_timer", "_in_body", "_linger_timer", "_moved", "_parsed", "_parsing", "_pause_timer", "_retiring",
        "_running", "is_not_granted",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = _Parser(self)
        self.is_not_granted = False
        self._header_timeout_s = config.settings().header_timeout_s
        self._header_timer: TimerHandle | None = None
        self._header_bytes = 0
        self._handed_over = False
        self._drain_timer: TimerHandle | None = None
        self._crowd = _crowd_of(self.server_state, self.app)
        self._bodies = self._crowd.bodies
        self._parsing = False
        self._parsed: tuple[RequestResponseCycle, Any] | None = None
        self._running: RequestResponseCycle | None = None
        self._retiring = False
        self._linger_timer: TimerHandle | None = None
        self._pause_timer: TimerHandle | None = None
        self._dropped = 0
        self._moved = False
        self._in_body = False
        self._deaf = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A client that connects and says nothing has the same time as one that dawdles."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers with the connection, and what was kept for it."""
        self._headers_are_there()
        self._drained()
        self._bodies.forget(self)
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._bodies.lingering -= 1
        if self._pause_timer is not None:
            self._pause_timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # also after a reset
        # uvicorn tells the newest request only, which may be one that waits for its turn.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        # A request knows its connection and the reverse. Left to the garbage collector, which looks seldom, thousands
        # of connections a second would fill the memory meanwhile.
        self.pipeline.clear()
        self._parsed = self._running = None
        self.cycle = self.scope = self.headers = None  # type: ignore[assignment]

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that shuts its side once it has said all is answered all the same, and then it is the end."""
        cycle: RequestResponseCycle | None = self.cycle
        if self._is_over() or cycle is None or cycle.more_body or cycle.response_complete:
            return False
        cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        """Most requests come in one piece: their headers are complete here, and no timer was ever started.

        What ends no request's headers, brings nothing of a body and ends none is itself of headers (or empty lines, or
        a body's trailers), whether or not an earlier request is being worked on: the parser keeps it all.
        """
        if self._linger_timer is not None:
            self._drop(len(data))
            return
        if self._deaf:
            self.flow.pause_reading()  # the application's own reading of the body had resumed it
            return
        size = self._header_bytes + len(data)
        self._parsing, self._moved = True, False
        super().data_received(data)
        self._parsing = False
        if self._is_over():
            self._parsed = None
            return
        if not self._moved:
            self._header_bytes = size
            if size > MAX_HEADER_BYTES:
                self._refuse(431)
                return
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn's types say
        if cycle is None or cycle.response_complete:
            if self._in_body:
                self._pause()  # the rest of a body whose request was answered early
            if self._header_timer is None:
                self._expect_headers()
        elif not self._moved or self._may_stay(size, more=cycle.more_body):
            self._start_parsed()

    def _is_over(self) -> bool:
        """Whether nothing more is read here."""
        return self._handed_over or self._deaf or self.transport.is_closing()

    def _may_stay(self, size: int, *, more: bool) -> bool:
        """Whether there is room for what has come; if not, its request is refused, as a rule before it has begun."""
        if not more and size <= bodies.SMALL_BYTES and not self._bodies.knows(self):
            return True
        if self._bodies.keep(self, size, more=more, now=self.loop.time()):
            return True
        self.refuse_body()
        return False

    def _start_parsed(self) -> None:
        if self._parsed is not None:
            (cycle, app), self._parsed = self._parsed, None
            if not self.transport.is_closing():
                self._start_asgi_task(cycle, app)

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
        if self.parser.should_upgrade() and not self._should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop(400)
            self.is_not_granted = True
            return
        super().on_headers_complete()
        self._moved = self._in_body = True
        if self._retiring:
            self.retire()

    def on_body(self, body: bytes) -> None:
        """Some of a body is here."""
        self._moved, self._header_bytes = True, 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is all here; uvicorn does not note it of one that was answered before."""
        if self.is_not_granted:
            return
        self._moved, self._in_body, self._header_bytes = True, False, 0
        super().on_message_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None:
            cycle.more_body = False

    def read_anew(self, rest: bytes) -> None:
        """Read a request again without its wish for another protocol, and then what came behind its headers."""
        self.is_not_granted = False
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = _Parser(self)
        self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

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
        if self._parsing:  # what came with the headers is looked at first
            self._parsed = cycle, app
            return
        if cycle.more_body:
            cycle.scope["extensions"] = {ADMIT: self._admit}  # type: ignore[dict-item]  # each extension says what it is
        if cycle.scope["method"] != "HEAD" and not cycle.waiting_for_100_continue:
            cycle.transport = cast(Transport, OnePiece(self.transport, self._answered_last))
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Keep the connection, but not for long where there are many."""
        if not self.pipeline:
            self._bodies.forget(self)
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
        """The connection belongs to the WebSocket protocol from here on. Not while it owes an answer."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._refuse(400)
            return
        self._headers_are_there()
        self._handed_over = True
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400)

    def refuse_body(self) -> None:
        """The server's clients have sent too much together, and this one has to go: its request is not done.

        One that is all here and has begun will be done, so its answer is given; what was sent after it is not heard.
        """
        if self._is_working():
            self._hear_no_more()
            return
        self._bodies.forget(self)
        if self.transport.is_closing():
            return
        if self._parsed is not None:  # nothing has begun, not even the first of what came together
            self.cycle, self._parsed = self._parsed[0], None
        cycle = self.cycle
        if cycle is not self._running or cycle.response_started:  # an answer under way cannot be overtaken
            self.transport.close()
            return
        cycle.body = bytearray()
        cycle.disconnected = cycle.response_complete = True
        cycle.message_event.set()
        refuse(self.transport, 503)
        self._leave()

    def _admit(self) -> None:
        """The application knows who sends this body and lets them send more than others; where there is room."""
        if self._running is self.cycle and not self._bodies.admit(self, self.loop.time()):
            self.refuse_body()

    def _is_working(self) -> bool:
        """Whether a request that is all here has begun and is not answered: it may be a sale already."""
        running = self._running
        return running is not None and self._parsed is None and not running.more_body and not running.response_complete

    def _hear_no_more(self) -> None:
        """Close after the answer under way. What waits behind it has not begun, and will not."""
        assert self._running is not None
        self._deaf = True
        self._bodies.give_back(self, sum(len(cycle.body) for cycle, _ in self.pipeline))
        self.pipeline.clear()
        self.cycle = self._running
        self.cycle.keep_alive = False
        self.flow.pause_reading()

    def _answered_last(self) -> None:
        """The last answer was given; its request may not be all here, nor ever wanted."""
        is_cut_short = self._running is self.cycle and self.cycle.more_body and not self.expect_100_continue
        if self._deaf or is_cut_short:
            self._leave()
        else:
            self.transport.close()

    def _leave(self) -> None:
        """Close, but go on reading for a moment and throw it away, so that the answer arrives."""
        self.pipeline.clear()
        if self.transport.is_closing() or self._bodies.lingering >= bodies.MAX_LINGERING:
            self.transport.close()
            return
        self._bodies.lingering += 1
        self._linger_timer = self.loop.call_later(bodies.LINGER_S, self._left)
        self.transport.write_eof()
        self._resume()

    def _left(self) -> None:
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._expect_drain()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > bodies.LINGER_BYTES:
            self._left()
        else:
            self._pause()

    def _pause(self) -> None:
        """Read on a little later: what is thrown away must not keep others waiting."""
        if self._pause_timer is None and not self.transport.is_closing():
            self.flow.pause_reading()
            self._pause_timer = self.loop.call_later(bodies.PAUSE_S, self._resume)

    def _resume(self) -> None:
        if self._pause_timer is not None:
            self._pause_timer.cancel()
            self._pause_timer = None
        if not self.transport.is_closing():
            self.flow.resume_reading()

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
        """Answer with a problem document and close. Where an earlier request is being worked on, close after it."""
        self._headers_are_there()
        if self.transport.is_closing():
            return
        if self._is_working():
            self._hear_no_more()
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or self._parsed is not None:
            refuse(self.transport, status)
        self.transport.close()
