"""The clients: a process of its own that writes every request ahead, then keeps its connections busy over raw sockets.

Reads one ``Order`` from standard input and writes its news as JSON lines. Nothing is shared with the server, and the
inner loop does as little as can be done: send what is ready, read an answer, note the time.
"""

from __future__ import annotations

import gc
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from random import Random

import msgspec

from backend.kernel import clock
from backend.pos.rules import codes

from . import paths
from .population import Population
from .requests import Requests

CODE_LIVES_S = 2 * codes.STEP_SECONDS
MARGIN_S = 1.0
RECEIVE_BYTES = 64 * 1024
STUCK_AFTER_S = 30.0


class Order(msgspec.Struct, kw_only=True):
    """What to do: requests number ``first`` and following of a path prepared, sent for ``seconds`` at most.

    Where they need codes, of a step after ``after_step``. With ``rate`` so many are sent a second, each at a moment of
    its own (Poisson), whether or not those before are answered; without it every connection asks again when answered.
    How long those took that were due within ``uncounted_s`` is not counted.
    """

    path: str
    seed: str
    run: str
    host: str
    port: int
    members: int
    count: int
    first: int = 0
    connections: int
    seconds: float
    rate: float = 0.0
    uncounted_s: float = 0.0
    after_step: int = 0
    prepare_s: float = 3.0


class News(msgspec.Struct, kw_only=True):
    """How far it is: ``waiting`` for a step, ``preparing``, ``started``, ``ended``, then the result."""

    state: str
    result: Driven | None = None


class Driven(msgspec.Struct, kw_only=True):
    """What was seen at the sockets.

    ``accepted`` answers had the right status; ``latencies_ms`` at the 50th, 95th and 99th percentile and the longest;
    ``step`` is whose codes were shown.
    """

    answered: int
    accepted: int
    seconds: float
    latencies_ms: tuple[float, float, float, float]
    statuses: dict[str, int]
    first_failure: str | None
    prepared: int
    ran_out: bool
    prepare_cpu_s: float
    drive_cpu_s: float
    step: int = 0


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
        self.statuses: dict[bytes, int] = {}
        self.first_failure: bytes | None = None
        self.ran_out = False
        for connection in connections:
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._connections = connections

    def run(self, seconds: float) -> float:
        """Drive; returns the seconds from the first request to the last answer."""
        began = last = time.perf_counter()
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
        if connection.sent_at >= self.counts_from:
            self.latencies.append(time.perf_counter() - connection.sent_at)
        if status != self._accepted:
            self._note(status, connection)
        return True

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

    selector = selectors.SelectSelector  # waits to the microsecond; epoll only to the millisecond

    def __init__(
        self,
        requests: list[bytes],
        connections: list[Connection],
        accepted: bytes,
        moments: Iterator[float],
        uncounted_s: float = 0.0,
    ) -> None:
        super().__init__(requests, connections, accepted)
        self._moments = moments
        self._uncounted_s = uncounted_s
        self._busy = 0

    def run(self, seconds: float) -> float:
        """Drive; returns the seconds from the first moment to the last answer."""
        began = time.perf_counter()
        self.counts_from = began + self._uncounted_s
        free = deque(self._connections)  # in turn: the server closes one that says nothing for long
        due = next(self._moments)
        while due < seconds or self._busy:
            now = time.perf_counter() - began
            while free and due <= now and due < seconds:
                self._send(free.popleft(), began + due)
                due = next(self._moments)
            wait = max(0.0, due - now) if free and due < seconds else STUCK_AFTER_S
            ready = self._selector.select(wait)
            if not ready and wait == STUCK_AFTER_S:
                raise TimeoutError(f"the server has not answered for {STUCK_AFTER_S:.0f} s")
            for key, _ in ready:
                if self._answered(key.data):
                    self._busy -= 1
                    free.append(key.data)
        self._selector.close()
        return time.perf_counter() - began

    def _send(self, connection: Connection, moment: float) -> None:
        request = next(self._requests, None)
        if request is None:
            self.ran_out = True
            return
        self._busy += 1
        connection.send(request)
        connection.sent_at = moment


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


def drive(order: Order, requests: list[bytes], accepted: bytes, before: bytes = b"0") -> tuple[Driver, float]:
    """Send them; every connection is opened before the first request."""
    connections = [Connection(order.host, order.port) for _ in range(order.connections)]
    try:
        if order.rate:
            due = moments(order.rate, Random(order.run))  # noqa: S311 - no secret
            driver: Driver = Paced(requests, connections, accepted, due, order.uncounted_s)
        else:
            driver = Driver(requests, connections, accepted)
        driver.before = before
        return driver, driver.run(order.seconds)
    finally:
        for connection in connections:
            connection.sock.close()


def wait_for_step(order: Order) -> int:
    """Until a step has begun whose codes live long enough for the run, and that is after ``after_step``."""
    while True:
        now = clock.now().timestamp()
        step = codes.step_at(now)
        lives = step * codes.STEP_SECONDS + CODE_LIVES_S - now
        if step > order.after_step and lives >= min(order.seconds + order.prepare_s, CODE_LIVES_S - 2 * MARGIN_S):
            return step
        time.sleep(0.05)


def percentiles(latencies: list[float]) -> tuple[float, float, float, float]:
    """The 50th, 95th, 99th percentile and the longest, in ms."""
    ordered = sorted(latencies) or [0.0]
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return (at[0] * 1000, at[1] * 1000, at[2] * 1000, ordered[-1] * 1000)


def main() -> None:
    """Prepare, drive, report."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    path = paths.find(order.path)
    requests = Requests(Population(order.seed), members=order.members, host=f"{order.host}:{order.port}", run=order.run)
    if path.needs_code:
        _say(News(state="waiting"))
        requests.step = wait_for_step(order)
    _say(News(state="preparing"))
    cpu = time.process_time()
    requests.timestamp = clock.unix()
    prepared = [path.request(requests, n) for n in range(order.first, order.first + order.count)]
    gc.collect()
    gc.disable()
    prepared_cpu = time.process_time() - cpu
    if path.needs_code:
        left = requests.step * codes.STEP_SECONDS + CODE_LIVES_S - clock.now().timestamp() - MARGIN_S
        order.seconds = min(order.seconds, left)
    _say(News(state="started"))
    cpu = time.process_time()
    driver, seconds = drive(order, prepared, str(path.accepted).encode(), str(path.before).encode())
    drive_cpu = time.process_time() - cpu
    _say(News(state="ended"))
    failed = sum(driver.statuses.values())
    result = Driven(
        answered=driver.answered,
        accepted=driver.answered - failed,
        seconds=seconds,
        latencies_ms=percentiles(driver.latencies),
        statuses={status.decode("latin-1"): count for status, count in driver.statuses.items()},
        first_failure=driver.first_failure.decode(errors="replace") if driver.first_failure else None,
        prepared=len(prepared),
        ran_out=driver.ran_out,
        prepare_cpu_s=prepared_cpu,
        drive_cpu_s=drive_cpu,
        step=requests.step,
    )
    _say(News(state="done", result=result))


def _say(news: News) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(news) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
