"""Redis: one client a process, commands that share pipelines, and a breaker, because nothing may wait for a cache.

PostgreSQL holds all truth. Whoever calls this has an answer for ``RedisDown`` that is only slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from . import logging
from .batching import Batcher
from .config import Settings
from .errors import Unavailable

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


class _Connection:
    """A client, the batcher that feeds it, and until when it is given a rest."""

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
            self._pipeline, max_size=128, lanes=2, max_waiting=8192, overflow=RedisDown
        )
        self.closed_until = 0.0

    def resting(self) -> bool:
        """Whether the last failure is too fresh to try again."""
        return monotonic() < self.closed_until

    async def _pipeline(self, commands: list[tuple[Argument, ...]]) -> Sequence[Any]:
        if self.resting():
            raise RedisDown
        try:
            async with asyncio.timeout(TIMEOUT_S):
                pipeline = self.client.pipeline(transaction=False)
                for command in commands:
                    pipeline.execute_command(*command)
                replies = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError, TimeoutError) as error:
            if not self.resting():
                log.warning("redis.down", error=type(error).__name__)
            self.closed_until = monotonic() + BREAK_S
            raise RedisDown from error
        return [_refused(reply) if isinstance(reply, RedisError) else reply for reply in replies]


def _refused(error: RedisError) -> RedisDown:
    refusal = RedisRefused() if isinstance(error, ResponseError) else RedisDown()
    refusal.__cause__ = error
    return refusal


_connection: _Connection | None = None


async def open_client(settings: Settings) -> None:
    """Make the client of this process; nothing is connected yet, and an empty address means: do without."""
    global _connection
    await close_client()
    _connection = _Connection(settings.redis_url) if settings.redis_url else None


async def close_client() -> None:
    """Answer what was handed in, then disconnect."""
    global _connection
    if _connection is not None:
        connection, _connection = _connection, None
        await connection.batcher.drain()
        await connection.client.aclose()


def client() -> aioredis.Redis | None:
    """The redis.asyncio client, for pub/sub and scripts of one's own; None without an address."""
    return _connection.client if _connection else None


def healthy() -> bool:
    """Whether Redis is configured and its last answer was not a failure of the last second."""
    return _connection is not None and not _connection.resting()


async def call(*command: Argument) -> Any:
    """Send one command and return its reply; commands under way together share a pipeline.

    Replies are as redis-py gives them: bytes, int, list or None, and True for ``OK`` (a refused ``SET … NX`` is None).

    Raises ``RedisDown`` at once without an address or within a second of a failure, and after 200 ms otherwise.
    """
    connection = _connection
    if connection is None or monotonic() < connection.closed_until:
        raise RedisDown
    return await connection.batcher.submit(command)
