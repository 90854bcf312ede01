"""Clients at raw sockets: those who ask again as soon as they are answered, and those who come at their own moments."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from random import Random

RECEIVE_BYTES = 64 * 1024
STUCK_AFTER_S = 30.0


class Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("buffer", "sent_at", "sock")

    def __init__(self, host: str, port: int) -> None:
        self.sock = socket.create_connection((host, port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.buffer = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        """Send a request: far smaller than the socket's buffer, so it goes whole."""
        self.sent_at = time.perf_counter()
        if self.sock.send(request) != len(request):
            raise OSError("the socket did not take a whole request")


class Driver:
    """Keeps every connection busy until the time is over or nothing is left to send."""

    selector: type[selectors.BaseSelector] = selectors.DefaultSelector

    def __init__(self, requests: list[bytes], connections: list[Connection], accepted: bytes) -> None:
        self._accepted = accepted
        self.before = b"0"
        """The status of requests that are sent and not counted."""
        self._requests: Iterator[bytes] = iter(requests)
        self._selector = self.selector()
        self._busy = len(connections)
        self.answered = 0
        self.counts_from = 0.0
        self.latencies: list[float] = []
        self.last_accepted = 0.0
        self.began = 0.0
        self.statuses: dict[bytes, int] = {}
        self.first_failure: bytes | None = None
        self.ran_out = False
        for connection in connections:
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._connections = connections

    def run(self, seconds: float) -> float:
        """Drive; returns the seconds from the first request to the last answer."""
        self.began = began = last = time.perf_counter()
        deadline = began + seconds
        for connection in self._connections:
            self._next(connection)
        while self._busy:
            ready = self._selector.select(STUCK_AFTER_S)
            if not ready:
                raise TimeoutError(f"the server has not answered for {STUCK_AFTER_S:.0f} s")
            for key, _ in ready:
                connection = key.data
                if not self._answered(connection):
                    continue
                last = time.perf_counter()
                if last < deadline:
                    self._next(connection)
                else:
                    self._busy -= 1
        self._selector.close()
        return last - began

    def _answered(self, connection: Connection) -> bool:
        """Whether an answer is all here now, and then counted."""
        status = _read(connection, self._accepted)
        if status is None:
            return False
        if status == self.before:
            connection.buffer = b""
            return True
        self.answered += 1
        now = time.perf_counter()
        if connection.sent_at >= self.counts_from:
            self._time(connection.sent_at, now)
        if status != self._accepted:
            self._note(status, connection)
        else:
            self.last_accepted = now
        return True

    def _time(self, sent_at: float, now: float) -> None:
        self.latencies.append(now - sent_at)

    def _next(self, connection: Connection) -> None:
        request = next(self._requests, None)
        if request is None:
            self.ran_out = True
            self._busy -= 1
        else:
            connection.send(request)

    def _note(self, status: bytes, connection: Connection) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if self.first_failure is None:
            self.first_failure = connection.buffer
        connection.buffer = b""


class Paced(Driver):
    """Sends each request at its own moment, as strangers do; how long it took counts from that moment.

    A request whose moment has come waits for a free connection, and that counts too.
    """

    selector: type[selectors.BaseSelector] = selectors.SelectSelector  # to the microsecond; epoll: the millisecond

    def __init__(
        self,
        requests: list[bytes],
        connections: list[Connection],
        accepted: bytes,
        moments: Iterator[float],
        uncounted_s: float = 0.0,
        further: Iterator[Connection] | None = None,
    ) -> None:
        super().__init__(requests, connections, accepted)
        self._moments = moments
        self._uncounted_s = uncounted_s
        self._busy = 0
        self._further = further or iter(())
        self.moments: list[tuple[float, float]] = []

    def run(self, seconds: float) -> float:
        """Drive; returns the seconds from the first moment to the last answer."""
        self.began = began = time.perf_counter()
        self.counts_from = began + self._uncounted_s
        free = deque(self._connections)  # in turn: the server closes one that says nothing for long
        due = next(self._moments)
        while due < seconds or self._busy:
            now = time.perf_counter() - began
            while due <= now and due < seconds and (free or self._open(free)):
                self._send(free.popleft(), began + due)
                due = next(self._moments)
            wait = max(0.0, due - now) if due > now and due < seconds else STUCK_AFTER_S
            ready = self._selector.select(wait)
            if not ready and wait == STUCK_AFTER_S:
                raise TimeoutError(f"the server has not answered for {STUCK_AFTER_S:.0f} s")
            for key, _ in ready:
                if self._answered(key.data):
                    self._busy -= 1
                    free.append(key.data)
        self._selector.close()
        return time.perf_counter() - began

    def _open(self, free: deque[Connection]) -> bool:
        """Whether there was a further connection."""
        connection = next(self._further, None)
        if connection is None:
            return False
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._connections.append(connection)
        free.append(connection)
        return True

    def _time(self, sent_at: float, now: float) -> None:
        super()._time(sent_at, now)
        self.moments.append((sent_at - self.began, (now - sent_at) * 1000))

    def _send(self, connection: Connection, moment: float) -> None:
        request = next(self._requests, None)
        if request is None:
            self.ran_out = True
            return
        self._busy += 1
        connection.send(request)
        connection.sent_at = moment


class Crowd(Paced):
    """Very many of them, whose own moments need not be exact: looking at a thousand sockets takes its time."""

    selector = selectors.DefaultSelector


def moments(rate: float, random: Random) -> Iterator[float]:
    """Seconds from the beginning: a Poisson process of so many a second, as ``pgbench --rate`` makes one."""
    at = 0.0
    while True:
        at += random.expovariate(rate)
        yield at


def _read(connection: Connection, accepted: bytes) -> bytes | None:
    """The status of the answer once it is all here; its bytes stay in ``connection.buffer`` only where it failed."""
    data = connection.sock.recv(RECEIVE_BYTES)
    if not data:
        raise ConnectionError("the server closed a connection")
    if connection.buffer:
        data = connection.buffer + data
    end = data.find(b"\r\n\r\n")
    if end >= 0:
        at = data.find(b"content-length: ", 0, end) + 16
        if len(data) >= end + 4 + int(data[at : data.index(b"\r\n", at)]):
            status = data[9:12]
            connection.buffer = b"" if status == accepted else data
            return status
    connection.buffer = data
    return None
