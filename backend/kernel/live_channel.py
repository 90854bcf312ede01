"""One Redis connection a process that listens on the channels of the members connected to it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any

from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from . import logging
from .tasks import end

log = logging.get(__name__)

PREFIX = "live:"
CONNECT_TIMEOUT_S = 1.0
PING_AFTER_S = 15.0
DEAD_AFTER_S = 5.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

_FAILURES = (RedisError, OSError, TimeoutError, EOFError)


class Channel:
    """Joins and leaves channels on demand, connects at the first, and connects again for as long as it takes.

    redis-py's PubSub lets a writer and the reader both reconnect at once; here one task owns the connection and the
    others only write. ``received(member_id, body)`` is called for each message; ``lost()`` when messages may have been
    missed, that is after a new connection has joined every channel again.
    """

    def __init__(
        self, addresses: Sequence[str], *, received: Callable[[int, bytes], None], lost: Callable[[], None]
    ) -> None:
        # RESP2: messages come as plain replies, in order with the confirmations.
        self._pools = [
            ConnectionPool.from_url(
                address, protocol=2, socket_timeout=CONNECT_TIMEOUT_S, socket_connect_timeout=CONNECT_TIMEOUT_S
            )
            for address in addresses
        ]
        self._received = received
        self._lost = lost
        self._wanted: dict[int, asyncio.Event] = {}  # member -> set once Redis has confirmed it
        self._rejoining: set[int] = set()
        self._down = False
        self._commands: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def join(self, member_id: int, *, within_s: float) -> None:
        """Listen for a member; returns when Redis has confirmed it, or after ``within_s`` if it is slow or gone."""
        joined = self._wanted.get(member_id)
        if joined is None:
            joined = self._wanted[member_id] = asyncio.Event()
            self._commands.put_nowait(("SUBSCRIBE", member_id))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live channel")
        if self._down:
            return
        try:
            async with asyncio.timeout(within_s):
                await joined.wait()
        except TimeoutError:
            log.warning("live.join_slow")

    def leave(self, member_id: int) -> None:
        """Listen for a member no longer."""
        if self._wanted.pop(member_id, None) is not None:
            self._commands.put_nowait(("UNSUBSCRIBE", member_id))

    async def close(self) -> None:
        """Disconnect for good."""
        await end(self._task)
        for pool in self._pools:
            await pool.aclose()

    async def _run(self) -> None:
        pause = FIRST_PAUSE_S
        connected_before = False
        # A cluster hands what is published at one node to all of them, so that one connection to any of them hears all.
        for pool in cycle(self._pools):
            connection = pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.connect()
                while not self._commands.empty():  # what they ask for is joined as a whole
                    self._commands.get_nowait()
                for joined in self._wanted.values():
                    joined.clear()
                self._rejoining = set(self._wanted) if connected_before else set()
                await self._send(connection, "SUBSCRIBE", list(self._wanted))
                self._down, connected_before, pause = False, True, FIRST_PAUSE_S
                await self._serve(connection)
            except _FAILURES as error:
                self._down = True
                log.warning("live.connection_lost", error=type(error).__name__, again_s=round(pause, 1))
            finally:
                with suppress(*_FAILURES):
                    await connection.disconnect(nowait=True)
            connected_before = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _serve(self, connection: Any) -> None:
        """Read and write until either fails; raises its failure."""
        tasks = {asyncio.create_task(self._read(connection)), asyncio.create_task(self._write(connection))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(*tasks)

    async def _read(self, connection: Any) -> None:
        while True:
            async with asyncio.timeout(PING_AFTER_S + DEAD_AFTER_S):  # something comes, if only the answer to a ping
                reply = await connection.read_response(timeout=math.inf)
            if not isinstance(reply, list) or len(reply) != 3:
                continue
            kind, name, body = reply
            member_id = int(name.removeprefix(PREFIX.encode()))
            if kind == b"message":
                self._received(member_id, body)
            elif kind == b"subscribe":
                self._joined(member_id)

    def _joined(self, member_id: int) -> None:
        if member_id in self._wanted:
            self._wanted[member_id].set()
        if member_id in self._rejoining:
            self._rejoining.discard(member_id)
            if not self._rejoining:
                log.info("live.reconnected")
                self._lost()

    async def _write(self, connection: Any) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_AFTER_S):
                    command, member_id = await self._commands.get()
            except TimeoutError:
                await connection.send_command("PING", check_health=False)
            else:
                await self._send(connection, command, [member_id])

    @staticmethod
    async def _send(connection: Any, command: str, members: list[int]) -> None:
        for start in range(0, len(members), 500):
            names = [f"{PREFIX}{member_id}" for member_id in members[start : start + 500]]
            await connection.send_command(command, *names, check_health=False)
