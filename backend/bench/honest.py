"""An honest shop and its members while somebody attacks: a process that asks at a fixed, modest rate.

Every other request is a sale on a connection that is kept, the others ask for a wallet, each on a new connection. A
request counts from the moment when it was due, so that a server that stalls is not asked less.

Reads one ``HonestOrder`` from standard input and writes one ``Honest``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from time import perf_counter

import msgspec
import uvloop

from backend.auth import codes
from backend.kernel import clock

from . import paths
from .generator import percentiles
from .population import Population
from .requests import Requests

KEPT_CONNECTIONS = 8
PATIENCE_S = 15.0


class HonestOrder(msgspec.Struct, kw_only=True):
    """What to do; requests are numbered from ``first``."""

    seed: str
    run: str
    host: str
    port: int
    members: int
    first: int
    seconds: float
    per_second: int


class Honest(msgspec.Struct, kw_only=True):
    """What an honest client saw: how long answers took (50th, 95th, 99th percentile, longest), and what went wrong.

    ``late_ms``: how late the machine woke it for its next request (99th percentile). That is in the latencies too, and
    is not the server's doing: whoever runs there sees it.
    """

    asked: int
    latencies_ms: tuple[float, float, float, float]
    errors: dict[str, int]
    late_ms: float


class _Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, order: HonestOrder) -> _Line:
        return cls(*await asyncio.open_connection(order.host, order.port))

    async def ask(self, request: bytes) -> int:
        """Send a request and read its whole answer; returns the status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.index(b"content-length: ") + 16
        await self._reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
        return int(head[9:12])

    def close(self) -> None:
        self._writer.close()


class Shop:
    """The client."""

    def __init__(self, order: HonestOrder) -> None:
        self._order = order
        population = Population(order.seed)
        self._requests = Requests(population, members=order.members, host=f"{order.host}:{order.port}", run=order.run)
        self._sale, self._wallet = paths.every()["sale"], paths.every()["wallet"]
        self._kept: asyncio.Queue[_Line] = asyncio.Queue()
        self._latencies: list[float] = []
        self._late: list[float] = []
        self._errors: Counter[str] = Counter()

    async def run(self) -> Honest:
        """Ask until the time is over; returns once everything is answered or given up."""
        for _ in range(KEPT_CONNECTIONS):
            self._kept.put_nowait(await _Line.open(self._order))
        count = int(self._order.seconds * self._order.per_second)
        began = perf_counter() + 0.1  # uvloop's own clock counts whole milliseconds
        async with asyncio.TaskGroup() as tasks:
            for n in range(count):
                due = began + n / self._order.per_second
                await asyncio.sleep(due - perf_counter())
                self._late.append(perf_counter() - due)
                tasks.create_task(self._one(self._order.first + n, due))
        return Honest(
            asked=count,
            latencies_ms=percentiles(self._latencies),
            errors=dict(self._errors),
            late_ms=percentiles(self._late)[2],
        )

    async def _one(self, n: int, due: float) -> None:
        path = self._wallet if n % 2 else self._sale
        self._requests.step, self._requests.timestamp = codes.step_at(clock.now().timestamp()), clock.unix()
        request = path.request(self._requests, n // 2)
        try:
            async with asyncio.timeout(PATIENCE_S):
                status = await (self._on_a_new_line(request) if n % 2 else self._on_a_kept_line(request))
            if status != path.accepted:
                self._errors[f"{path.name}: {status}"] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self._errors[f"{path.name}: {type(error).__name__}"] += 1
        self._latencies.append(perf_counter() - due)

    async def _on_a_kept_line(self, request: bytes) -> int:
        line = await self._kept.get()
        try:
            status = await line.ask(request)
        except BaseException:
            line.close()
            self._kept.put_nowait(await _Line.open(self._order))
            raise
        self._kept.put_nowait(line)
        return status

    async def _on_a_new_line(self, request: bytes) -> int:
        line = await _Line.open(self._order)
        try:
            return await line.ask(request)
        finally:
            line.close()


def main() -> None:
    """Carry out the order on standard input."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=HonestOrder)
    gc.disable()
    honest = uvloop.run(Shop(order).run())
    sys.stdout.buffer.write(msgspec.json.encode(honest))


if __name__ == "__main__":
    main()
