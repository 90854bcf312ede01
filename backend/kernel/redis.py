"""Redis: one client a process, commands that share pipelines, and a breaker, because nothing may wait for a cache.

PostgreSQL holds all truth. Whoever calls this has an answer for ``RedisDown`` that is only slower. A cluster is an
address of another kind; its keys lie on several servers, so no command names keys of two slots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from . import logging
from .batching import Batcher
from .config import CLUSTER_SCHEMES, Settings, read_redis_addresses
from .errors import Unavailable

if TYPE_CHECKING:
    from .redis_cluster import Cluster

log = logging.get(__name__)

TIMEOUT_S = 0.2
"""What a command may take, connecting included."""

BREAK_S = 1.0
"""After a failure every command is refused at once for this long."""

Argument = str | bytes | int | float


class RedisDown(Unavailable):
    """Redis does not answer; go on without it."""


class RedisRefused(RedisDown):
    """Redis answered with an error (read-only, out of memory, a wrong command)."""


class Server:
    """One server: a client, the batcher that feeds it, and until when it is given a rest.

    The batcher has connections of its own, one a lane, and writes and reads them itself: the client's pipeline would
    cost more than everything else that a sale does in this process.
    """

    def __init__(self, url: str) -> None:
        self.client = aioredis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            max_connections=64,
        )
        self.batcher: Batcher[tuple[Argument, ...], Any] = Batcher(
            self._exchange, max_size=128, lanes=2, max_waiting=8192, overflow=RedisDown
        )
        self.closed_until = 0.0
        self._idle: list[Any] = []

    def resting(self) -> bool:
        """Whether the last failure is too fresh to try again."""
        return monotonic() < self.closed_until

    async def call(self, *command: Argument) -> Any:
        """Send one command and return its reply; ``RedisDown`` at once while it rests."""
        if self.resting():
            raise RedisDown
        return await self.batcher.submit(command)

    async def check(self) -> None:
        """Raise ``RedisDown`` unless it answers."""
        await self.call("PING")

    async def close(self) -> None:
        """Answer what was handed in, then disconnect."""
        await self.batcher.drain()
        for line in self._idle:
            await line.disconnect(nowait=True)
        await self.client.aclose()

    def _new_line(self) -> Any:
        line = self.client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        line.socket_timeout = None  # the whole exchange has a time-out, not every step of it
        return line

    async def _exchange(self, commands: list[tuple[Argument, ...]]) -> Sequence[Any]:
        if self.resting():
            raise RedisDown
        line = self._idle.pop() if self._idle else self._new_line()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self.client.connection_pool.ensure_connection(line)
                await line.send_packed_command(_packed(commands), check_health=False)
                replies = [await _reply(line) for _ in commands]
        except BaseException as error:
            await line.disconnect(nowait=True)  # what it still has to say belongs to nobody
            if not isinstance(error, (RedisError, OSError, TimeoutError)):
                raise
            if not self.resting():
                log.warning("redis.down", error=type(error).__name__)
            self.closed_until = monotonic() + BREAK_S
            raise RedisDown from error
        self._idle.append(line)
        return replies


def _packed(commands: Sequence[tuple[Argument, ...]]) -> bytes:
    """Commands as they are sent (RESP arrays of bulk strings); the client's own way takes three times as long."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for argument in command:
            if not isinstance(argument, bytes):
                argument = str(argument).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


async def _reply(line: Any) -> Any:
    """The next reply, or the refusal that is one."""
    try:
        return await line.read_response()
    except ResponseError as error:
        return _refused(error)


def _refused(error: ResponseError) -> RedisRefused:
    refusal = RedisRefused()
    refusal.__cause__ = error
    return refusal


_connection: Server | Cluster | None = None


async def open_client(settings: Settings) -> None:
    """Make the client of this process; nothing is connected yet, and an empty address means: do without."""
    global _connection
    await close_client()
    addresses = read_redis_addresses(settings.redis_url)
    if settings.redis_url.startswith(CLUSTER_SCHEMES):
        from .redis_cluster import Cluster

        _connection = Cluster(addresses)
    else:
        _connection = Server(addresses[0]) if addresses else None


async def close_client() -> None:
    """Answer what was handed in, then disconnect."""
    global _connection
    if _connection is not None:
        connection, _connection = _connection, None
        await connection.close()


def client() -> aioredis.Redis | None:
    """The redis.asyncio client of a single server, for tools and tests; None without an address."""
    return _connection.client if isinstance(_connection, Server) else None


def healthy() -> bool:
    """Whether Redis is configured and its last answer was not a failure of the last second."""
    return _connection is not None and not _connection.resting()


async def check() -> None:
    """Raise ``RedisDown`` unless Redis answers, and every part of a cluster serves."""
    if _connection is None:
        raise RedisDown
    await _connection.check()


async def call(*command: Argument) -> Any:
    """Send one command and return its reply; commands under way together share a pipeline.

    Replies are as they came: bytes (``b"OK"``), int, list, or None (a refused ``SET … NX``, a missing key).

    Raises ``RedisDown`` at once without an address or within a second of a failure, and after 200 ms otherwise.
    """
    connection = _connection
    if connection is None:
        raise RedisDown
    return await connection.call(*command)
