"""The running system as its torturer sees it: processes to kill, connections to cut, a clock to move."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import msgspec
import redis.asyncio as aioredis

from backend import proofs
from backend.engines.errors import EngineError
from backend.kernel import clock, db
from backend.kernel.config import Settings

from .proxy import Proxy
from .wire import Client, NoAnswer

RECOVERED_WITHIN_S = 60.0
QUIET_WITHIN_S = 20.0
JOBS_WITHIN_S = 120.0
"""A job whose worker was killed is taken up by another one after a minute and a quarter at most."""

_LOOK_EVERY_S = 0.05
SAY_AFTER_S = 2.0
"""What is waited for longer than this is told."""

MOST_TOLD = 4

_DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW ('default'::varchar, $1::varchar, 0, $1::text, $1::text,
    '{"timestamp": 0}'::jsonb, NULL::timestamptz)]::procrastinate_job_to_defer_v1[])"""
_WAITING = """
SELECT j.task_name AS name, j.status::text, ceil(extract(epoch FROM j.scheduled_at - now()))::int AS due_s,
       w.id AS worker, floor(extract(epoch FROM now() - w.last_heartbeat))::int AS heard_s
  FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
 WHERE j.task_name = ANY($1) AND j.status IN ('todo', 'doing') ORDER BY j.status DESC, j.id"""
_EVENTS = "SELECT count(*) FROM outbox WHERE not_before IS NULL OR not_before < 'infinity'"
_ACTIVE = """
SELECT count(*) FROM pg_stat_activity
 WHERE application_name = 'huiyuan-ledger' AND (state = 'active' OR state LIKE 'idle in transaction%')"""


Say = Callable[[str], None]


class NotRecovered(EngineError):
    """The system did not serve again in time, or did not come to rest."""


class Processes(Protocol):
    """What runs now; a process that was killed is put back by whoever keeps them."""

    def servers(self) -> Sequence[int]: ...

    def worker(self) -> int | None: ...

    def postmaster(self) -> int | None: ...

    def valkey(self) -> int | None: ...


class Plant:
    """Reaches into the running system.

    Args:
        urls: the engines' own addresses (not those of the proxies).
        clock_file: moves every process's clock.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Mapping[str, str],
        processes: Processes,
        client: Client,
        *,
        workers: int,
        proxies: Mapping[str, Proxy],
    ) -> None:
        self.settings = settings
        self.client = client
        self.processes = processes
        self.proxies = proxies
        self._urls = urls
        self._workers = workers
        self._clock_file = Path(settings.clock_file)
        self._ahead = timedelta()
        self._snapshot: dict[bytes, tuple[bytes, int]] = {}
        self._killed: set[int] = set()

    async def open(self) -> None:
        """Listen in front of the engines, and follow the clock."""
        clock.follow(self._clock_file)
        for proxy in self.proxies.values():
            await proxy.open()

    async def close(self) -> None:
        """Let go."""
        self.client.close()
        for proxy in self.proxies.values():
            await proxy.close()

    # -- doing harm

    def kill(self, pid: int | None) -> None:
        """kill -9, where it is still there."""
        if pid is not None:
            self._killed.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def move_clock(self, seconds: float) -> None:
        """Move everybody's clock, forward or back."""
        self._ahead += timedelta(seconds=seconds)
        clock.move(self._clock_file, self._ahead)

    async def tell_psp(self, faults: dict[str, Any]) -> None:
        """Say how notifications go wrong from now on; asked until it is done."""
        deadline = time.monotonic() + RECOVERED_WITHIN_S
        while time.monotonic() < deadline:
            with suppress(NoAnswer):
                if (await self.client.send("PUT", "/mock/wechat/faults", {}, msgspec.json.encode(faults))).good:
                    return
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NotRecovered("the PSP does not take its faults")

    async def remember_valkey(self) -> None:
        """Take a copy of everything Valkey holds."""
        async with self._redis() as redis:
            self._snapshot = {}
            async for key in redis.scan_iter(count=1000):
                value, left_ms = await redis.dump(key), await redis.pttl(key)
                if value is not None:
                    self._snapshot[key] = value, max(0, left_ms)

    async def restore_valkey(self) -> None:
        """Put back what was remembered, and nothing else; then remember what there is now for the next time."""
        async with self._redis() as redis:
            await redis.flushall()
            for key, (value, left_ms) in self._snapshot.items():
                await redis.restore(key, left_ms, value, replace=True)
        await self.remember_valkey()

    async def flush_valkey(self) -> None:
        """Make Valkey forget."""
        async with self._redis() as redis:
            await redis.flushall()

    def _redis(self) -> Any:
        return aioredis.Redis.from_url(self._urls["redis"], socket_timeout=5)

    # -- waiting for better times

    async def recovered(self, *, after_s: float = 0.0) -> float:
        """Until all processes run and the servers say that they are ready; returns the seconds it took."""
        started = time.monotonic()
        await asyncio.sleep(after_s)
        while time.monotonic() - started < RECOVERED_WITHIN_S:
            if self._all_run():
                with suppress(NoAnswer):
                    if (await self.client.send("GET", "/readyz", {})).status == 200:
                        return time.monotonic() - started
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NotRecovered(f"the servers were not ready after {RECOVERED_WITHIN_S:.0f} s")

    def _all_run(self) -> bool:
        """Whether everything runs that should; what was killed is not taken for alive until somebody buried it."""
        servers, alone = self.processes.servers(), self.processes
        ours = {*servers, alone.worker(), alone.postmaster(), alone.valkey()}
        return len(servers) == self._workers and None not in ours and not ours & self._killed

    async def quiet(self) -> None:
        """Until nothing is being posted that nobody waits for any more."""
        connection = await self.connect("owner")
        try:
            deadline = time.monotonic() + QUIET_WITHIN_S
            calm = 0
            while calm < 2:
                calm = calm + 1 if not await connection.fetchval(_ACTIVE) else 0
                if time.monotonic() > deadline:
                    raise NotRecovered(f"something is still being posted after {QUIET_WITHIN_S:.0f} s")
                await asyncio.sleep(0.02)
        finally:
            await connection.close()

    async def defer_jobs(self, names: Sequence[str]) -> None:
        """Ask the worker to run these jobs of the clock now."""
        connection = await self.connect("owner")
        try:
            for name in names:
                with suppress(asyncpg.UniqueViolationError):  # it waits already
                    await connection.fetchval(_DEFER, name)
        finally:
            await connection.close()

    async def run_jobs(self, names: Sequence[str], say: Say, *, within_s: float = JOBS_WITHIN_S) -> None:
        """Have the worker run these jobs now, and wait until it did; ``say`` hears what is waited for.

        Raises:
            NotRecovered: some did not run within the time, and which, and who has taken them.
        """
        await self.defer_jobs(names)
        connection = await self.connect("owner")
        began = time.monotonic()
        try:
            while waiting := await connection.fetch(_WAITING, list(names)):
                waited = time.monotonic() - began
                if waited > within_s:
                    raise NotRecovered(f"did not run within {within_s:g} s: {_told(waiting)}")
                if waited > SAY_AFTER_S:
                    say(f"for {waited:.0f} s waiting for {_told(waiting)}")
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await connection.close()

    async def relayed(self, say: Say, *, stalled_s: float) -> None:
        """Until the worker has handled every event, or none for so long: the oracle says what is left.

        A relay that works on is waited for: how quick it is depends on what else the machine does.
        """
        connection = await self.connect("owner")
        least, since = sys.maxsize, time.monotonic()
        try:
            while left := await connection.fetchval(_EVENTS):
                if left < least:
                    least, since = left, time.monotonic()
                elif time.monotonic() - since > stalled_s:
                    return
                say(f"waiting for the last events to be handled, {left:,} are left")
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await connection.close()

    async def connect(self, which: str) -> asyncpg.Connection:
        """A connection of our own: ``owner`` or ``simulator``."""
        return await asyncpg.connect(**db.connect_args(self._urls[which]), timeout=10, command_timeout=120)

    async def audit(self) -> list[str]:
        """What ``huiyuan audit`` finds."""
        found = await proofs.prove_all(db.connect_args(self._urls["owner"]))
        return [
            f"audit: {finding.check}: member {finding.member_id}: {finding.what}"
            for findings in found.values()
            for finding in findings
        ]


def _told(jobs: Sequence[Any]) -> str:
    """The first of them in words."""
    more = f" and {len(jobs) - MOST_TOLD} more" if len(jobs) > MOST_TOLD else ""
    return ", ".join(map(_told_of, jobs[:MOST_TOLD])) + more


def _told_of(job: Any) -> str:
    """A job that waits or runs, and how its worker is."""
    if job["status"] == "todo":
        how = f"due in {job['due_s']} s" if (job["due_s"] or 0) > 0 else "waits"
    elif job["worker"] is None:
        how = "begun by a worker that is gone"
    else:
        how = f"begun by worker {job['worker']}, last heard of {job['heard_s']} s ago"
    return f"{job['name']} ({how})"
