"""The worker is killed in the middle of an import: what it had made stays, what it was at is made once."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from backend.kernel import db
from backend.members import service as members
from backend.members.types import NewMember, Status
from backend.registration.commands import imports
from tests.registration.test_imports import IMPORTS, send, table

WORKER = """
import asyncio
from backend import worker
from backend.kernel import config
asyncio.run(worker.run(config.load()))
"""
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
ROWS = 450
CHUNKED = 400
"""Rows in whole chunks before the one in which it dies."""


class Regretted(Exception):
    """Nothing of it is kept."""


@asynccontextmanager
async def work(settings):
    """A worker as it is run, in a process of its own, killed at the end."""
    settings = msgspec.structs.replace(settings, import_alone_max_fen=10**9, points_adjust_alone_max=10**9)
    given = {f"HUIYUAN_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(settings).items() if value}
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, env=os.environ | given, stdout=quiet, stderr=quiet
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def done_of(import_id):
    return await db.fetchval("SELECT done FROM registration_import WHERE id = $1", import_id)


async def test_a_worker_killed_in_the_middle_of_a_chunk_loses_no_row_and_doubles_none(
    client, chain, admin, settings, books, clock
):
    phones = [f"1990000{number:04d}" for number in range(ROWS)]
    sent = (await send(admin, table(*(f"{phone},a,1,,5," for phone in phones)))).json()
    before = await db.fetchval("SELECT count(*) FROM member")

    try:
        async with db.transaction() as tx, asyncio.timeout(60):
            # Somebody registers with the last phone and has not finished: the last chunk waits for that.
            await members.create_member(tx, NewMember(phone=phones[-1], name="b", status=Status.ACTIVE))
            async with work(settings):
                while await done_of(sent["id"]) < CHUNKED or not await db.fetchval(WAITS):
                    await asyncio.sleep(0.02)
            raise Regretted
    except Regretted:
        between = await db.fetchval("SELECT count(*) FROM member")
    clock.shift(timedelta(minutes=2))
    resumed = await imports.resume()

    done = (await admin.get(f"{IMPORTS}/{sent['id']}")).json()
    assert (between - before, resumed) == (CHUNKED, 1)
    assert (done["state"], done["results"]) == ("done", {"made": ROWS})
    held = "SELECT count(DISTINCT member_id), sum(balance)::bigint FROM ledger_account WHERE kind = $1 AND member_id IN"
    held += " (SELECT member_id FROM registration_import_row WHERE import_id = $2)"
    assert [tuple((await db.fetch(held, kind, sent["id"]))[0]) for kind in ("stored", "points")] == [
        (ROWS, ROWS * 100),
        (ROWS, ROWS * 5),
    ]
