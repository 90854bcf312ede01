"""What the torturer waits for: the worker's jobs, until they have run, and no longer than it may take."""

from __future__ import annotations

import asyncio
import re

import pytest

from backend.kernel import db
from backend.kernel.jobs import runner as jobs
from backend.torture import plant as plants
from backend.torture import runner as runs
from backend.torture.plant import NotRecovered, Plant
from backend.torture.runner import Runner
from backend.torture.shrink import Case
from backend.torture.wire import Client
from backend.torture.world import Till, World

JOBS = ("wallet.advance_recharges", "pos.expire_waiting_sales")


class Nothing:
    """No process is kept here."""

    def servers(self):
        return ()

    def worker(self):
        return None

    postmaster = valkey = worker


@pytest.fixture
async def plant(database, engines):
    from backend import worker

    worker.load()
    urls = engines.urls(db.connect_args(database.database_url)["database"])
    yield Plant(database, urls, Nothing(), Client("127.0.0.1", 1, 1), workers=0, proxies={})
    await db.pool().execute("DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


async def waiting() -> int:
    return await db.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE task_name = ANY($1)", list(JOBS))


async def test_a_worker_that_comes_late_is_waited_for(plant, database, monkeypatch):
    """It may still be looking for the database it lost: what its jobs would have settled is no finding."""
    monkeypatch.setattr(plants, "SAY_AFTER_S", 0.0)
    said: list[str] = []
    running = asyncio.create_task(plant.run_jobs(JOBS, said.append, within_s=60))
    while not said:
        await asyncio.sleep(0.01)
    assert not running.done()

    await jobs.run_waiting(database)

    await running
    assert await waiting() == 0
    assert said[0].endswith("waiting for wallet.advance_recharges (waits), pos.expire_waiting_sales (waits)")


async def test_jobs_that_are_never_run_are_a_finding(plant):
    """Which, and who has begun them."""
    await db.pool().execute("""
        WITH lost AS (
            INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '40 s') RETURNING id)
        INSERT INTO procrastinate_jobs (task_name, queue_name, status, worker_id)
        SELECT 'pos.expire_waiting_sales', 'default', 'doing'::procrastinate_job_status, id FROM lost""")

    with pytest.raises(NotRecovered) as told:
        await plant.run_jobs(JOBS, [].append, within_s=0.1)

    assert re.fullmatch(
        r"did not run within 0.1 s: pos.expire_waiting_sales \(begun by worker \d+, last heard of \d+ s ago\), "
        r"wallet.advance_recharges \(waits\), pos.expire_waiting_sales \(waits\)",
        str(told.value),
    )


async def test_what_never_ends_is_a_finding(plant, monkeypatch):
    """Here the clients of a run are missing, whose last answers it waits for."""
    world = World(1, plant.client, lambda: 0.0, tills=[Till("T1", "", "S1")], staff=[], wechat={}, members=1, phones=1)
    said: list[str] = []
    runner = Runner(world, plant, Case(0, ()), said.append, seconds=60)
    runner._under_way = {7: "sale", 9: "recharge"}

    with pytest.raises(NotRecovered, match=r"not settled within 0\.1 s; .* waiting for the last answers"):
        await runner._finish(within_s=0.1)
    assert said == ["waiting for the last answers"]

    monkeypatch.setattr(runs, "ANSWERED_WITHIN_S", 0.1)
    with pytest.raises(NotRecovered, match=r"not ended within 0\.1 s: recharge, sale"):
        await runner._finish(within_s=60)


async def test_events_are_waited_for_as_long_as_some_are_handled(plant, database):
    """A machine that does much else hands them on slowly: slow is no finding, standing still is."""
    await db.pool().execute(
        "INSERT INTO outbox (member_id, name, body, at) SELECT n, 'x', '{}', now() FROM generate_series(1, 3) AS n"
    )
    said: list[str] = []
    waited = asyncio.create_task(plant.relayed(said.append, stalled_s=30))
    for left in (2, 1, 0):
        while not said or said[-1] != f"waiting for the last events to be handled, {left + 1} are left":
            await asyncio.sleep(0.01)
        assert not waited.done()
        await db.pool().execute("DELETE FROM outbox WHERE member_id = $1", left + 1)
    await waited

    await db.pool().execute("INSERT INTO outbox (member_id, name, body, at) VALUES (1, 'x', '{}', now())")
    await plant.relayed(said.append, stalled_s=0.1)

    assert await db.fetchval("SELECT count(*) FROM outbox") == 1
    await db.pool().execute("DELETE FROM outbox")
