"""The clients: a process of its own that writes every request ahead, then keeps its connections busy over raw sockets.

Reads one ``Order`` from standard input and writes its news as JSON lines. Nothing is shared with the server, and the
inner loop does as little as can be done: send what is ready, read an answer, note the time.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import suppress
from random import Random

import msgspec

from backend.auth import codes
from backend.kernel import clock

from . import paths
from .clients import Connection, Crowd, Driver, Paced, moments
from .population import Population
from .requests import Requests

CODE_LIVES_S = 2 * codes.STEP_SECONDS
MARGIN_S = 1.0
AT_HAND = 256
"""Connections that are open before the first request; paced clients open more when they want to send on them: where
there are very many, the server does not wait long for what they have to say."""

CONNECT_S = 0.3


class Order(msgspec.Struct, kw_only=True):
    """What to do: requests number ``first`` and following of a path prepared, sent for ``seconds`` at most.

    Where they need codes, of a step after ``after_step``. With ``rate`` so many are sent a second, each at a moment of
    its own (Poisson), whether or not those before are answered; without it every connection asks again when answered.
    How long those took that were due within ``uncounted_s`` is not counted. ``begin_at`` (unix time) is when
    the first is sent, so that several runs begin together; codes are then of the step of that moment. ``eager``: these
    clients have a processor of their own in life, so theirs goes before that of others here, where the system lets it.
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
    begin_at: float = 0.0
    eager: bool = False


class News(msgspec.Struct, kw_only=True):
    """How far it is: ``waiting`` for a step, ``preparing``, ``started``, ``ended``, then the result."""

    state: str
    result: Driven | None = None


class Driven(msgspec.Struct, kw_only=True):
    """What was seen at the sockets.

    ``accepted`` answers had the right status; ``latencies_ms`` at the 50th, 95th and 99th percentile and the longest;
    ``step`` is whose codes were shown; ``began_at`` is unix time, and ``last_accepted_s`` when the last right answer
    came, after it. Of eager paced clients ``moments`` are, for each request, when it was due (s after the beginning)
    and how long it took (ms).
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
    began_at: float = 0.0
    last_accepted_s: float = 0.0
    moments: list[tuple[float, float]] = []

    def latencies_between(self, first_at: float, last_at: float) -> tuple[float, float, float, float]:
        """``latencies_ms`` of those requests alone that were due between two moments (unix time)."""
        due = [ms / 1000 for due_s, ms in self.moments if first_at <= self.began_at + due_s <= last_at]
        return percentiles(due)


def drive(order: Order, requests: list[bytes], accepted: bytes, before: bytes = b"0") -> tuple[Driver, float]:
    """Send them; the connections are opened before the first request, many of paced clients when they are wanted."""
    _wait_until(order.begin_at - CONNECT_S)
    at_hand = min(order.connections, AT_HAND) if order.rate else order.connections
    connections = [Connection(order.host, order.port) for _ in range(at_hand)]
    try:
        if order.rate:
            due = moments(order.rate, Random(order.run))  # noqa: S311 - no secret
            further = (Connection(order.host, order.port) for _ in range(order.connections - at_hand))
            kind = Paced if order.connections <= AT_HAND else Crowd
            driver: Driver = kind(requests, connections, accepted, due, order.uncounted_s, further)
        else:
            driver = Driver(requests, connections, accepted)
        driver.before = before
        _wait_until(order.begin_at)
        return driver, driver.run(order.seconds)
    finally:
        for connection in connections:
            connection.sock.close()


def _wait_until(at: float) -> None:
    time.sleep(max(0.0, at - clock.now().timestamp()))


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


def _be_eager() -> None:
    """Go before other programs, where that is allowed."""
    with suppress(PermissionError):
        os.nice(-10)


def main() -> None:
    """Prepare, drive, report."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    path = paths.find(order.path)
    requests = Requests(Population(order.seed), members=order.members, host=f"{order.host}:{order.port}", run=order.run)
    if path.needs_code and order.begin_at:
        requests.step = codes.step_at(order.begin_at)
    elif path.needs_code:
        _say(News(state="waiting"))
        requests.step = wait_for_step(order)
    _say(News(state="preparing"))
    cpu = time.process_time()
    requests.timestamp = int(order.begin_at) or clock.unix()
    prepared = [path.request(requests, n) for n in range(order.first, order.first + order.count)]
    gc.collect()
    gc.disable()
    prepared_cpu = time.process_time() - cpu
    if path.needs_code:
        begin_at = max(order.begin_at, clock.now().timestamp())
        order.seconds = min(order.seconds, requests.step * codes.STEP_SECONDS + CODE_LIVES_S - begin_at - MARGIN_S)
    if order.eager:
        _be_eager()
    _say(News(state="started"))
    cpu = time.process_time()
    began_at = clock.now().timestamp()
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
        began_at=max(order.begin_at, began_at),
        last_accepted_s=max(0.0, driver.last_accepted - driver.began),
        moments=driver.moments if isinstance(driver, Paced) and order.eager else [],
    )
    _say(News(state="done", result=result))


def _say(news: News) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(news) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
