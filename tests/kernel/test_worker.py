"""The background process as it is run: starts, works, and stops when told to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import msgspec

from backend.kernel import db
from backend.kernel.config import Settings

WORKER = """
import asyncio, sys
from backend.kernel import config, db, events, jobs
from backend import worker

class ParcelSent(events.Event, frozen=True, kw_only=True):
    pass

@events.on(ParcelSent)
async def pass_on(event, tx):
    await jobs.defer(tx, "parcels.send", member_id=event.member_id)

@jobs.task(name="parcels.send")
async def send(member_id):
    print("began", member_id, flush=True)
    await asyncio.sleep(0.3)
    print("sent", member_id, flush=True)

asyncio.run(worker.run(config.load()))
"""


@asynccontextmanager
async def worker(settings: Settings):
    env = dict(os.environ) | {
        f"HUIYUAN_{name.upper()}": str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if value not in ("", False)
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def publish(member_id: int) -> None:
    await db.pool().execute(
        "INSERT INTO outbox (member_id, name, body, at) VALUES ($1, 'ParcelSent', $2::text::jsonb, now())",
        member_id,
        f'{{"member_id": {member_id}}}',
    )


async def test_relays_runs_jobs_and_finishes_what_it_began_at_sigterm(database):
    await publish(1)

    async with worker(database) as process:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"began 1\n"
            process.send_signal(signal.SIGTERM)
            rest, log = await process.communicate()

    assert rest == b"sent 1\n"
    assert process.returncode == 0, log.decode()
    assert await db.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_killed_worker_loses_no_event(database):
    async with worker(database) as process:
        async with asyncio.timeout(60):
            await publish(2)
            await process.stdout.readline()
            for number in range(3, 40):
                await publish(number)
            process.kill()
            rest, _ = await process.communicate()

    sent = {int(line.split()[1]) for line in rest.splitlines() if line.startswith(b"sent")}
    left = {row["member_id"] for row in await db.fetch("SELECT member_id FROM outbox")}
    queued = {
        row["member_id"]
        for row in await db.fetch("SELECT (args->>'member_id')::bigint AS member_id FROM procrastinate_jobs")
        if row["member_id"]
    }
    assert left | queued | sent >= set(range(3, 40))
    assert not left & queued


async def test_refuses_to_start_without_a_database(database):
    gone = msgspec.structs.replace(database, database_url="postgresql://nobody@127.0.0.1:1/none")

    async with worker(gone) as process, asyncio.timeout(60):
        await process.communicate()

    assert process.returncode not in (0, None)
