"""What the torturer waits for: the worker's jobs, until they have run, and no longer than it may take."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from backend.kernel.jobs import runner
from backend.torture.plant import NotRecovered, Plant
from backend.torture.wire import Client

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
    await db.pool().execute("DELETE FROM procrastinate_jobs")


async def waiting() -> int:
    return await db.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE task_name = ANY($1)", list(JOBS))


async def test_a_worker_that_comes_late_is_waited_for(plant, database):
    """It may still be looking for the database it lost: what its jobs would have settled is no finding."""
    running = asyncio.create_task(plant.run_jobs(JOBS, within_s=60))
    while await waiting() < len(JOBS):
        await asyncio.sleep(0.01)
    assert not running.done()

    await runner.run_waiting(database)

    await running
    assert await waiting() == 0


async def test_jobs_that_are_never_run_are_a_finding(plant):
    with pytest.raises(NotRecovered, match="the worker did not run"):
        await plant.run_jobs(JOBS, within_s=0.1)
