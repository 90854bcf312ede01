"""uvicorn's WebSocket protocol with what it lacks: bounds on what waits in memory for, or from, one client.

Its parser bounds the size of a message, not their number: a client that sends small messages, empty fragments or pings
faster than they are read or answered would fill the process.
"""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from .refusals import refuse

MAX_WAITING = 64
"""Messages that wait to be read, and fragments of one message."""

DRAIN_S = 10.0
"""A client that takes nothing of what is sent to it for this long is cut off."""


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket. A client that sends far more than is read, or takes nothing, is cut off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drain_timer: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._drained()
        super().connection_lost(exc)

    def retire(self) -> None:
        """Close with 1012 (service restart), so that the phone comes back elsewhere; a handshake is finished first."""
        if self.handshake_complete and not self.close_sent and not self.transport.is_closing():
            self.shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on only while the client takes its answers: pings are answered without asking the application."""
        super().data_received(data)
        if not self.handshake_initiated:  # its headers are all here, and make no handshake
            refuse(self.transport, 400)
            self.transport.close()
        elif not self.writable.is_set():
            self.transport.pause_reading()

    def pause_writing(self) -> None:
        """The client takes nothing: it has a while, then the connection is cut."""
        super().pause_writing()
        self.transport.pause_reading()
        if self._drain_timer is None:
            self._drain_timer = self.loop.call_later(DRAIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes it, and is heard again."""
        self._drained()
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        """One more fragment of a message."""
        if len(self.frames) >= MAX_WAITING:
            self._give_up()
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """One more message for the application."""
        if self.queue.qsize() >= MAX_WAITING:
            self._give_up()
        else:
            super().send_receive_event_to_app()

    def _give_up(self) -> None:
        """Close with 1008, as a message that is too large closes with 1009."""
        if not self.close_sent:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many messages")
            self.handle_parser_exception()

    def _drained(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None
