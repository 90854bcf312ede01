"""The job queue: enqueued with the caller's transaction, run at least once, a bounded number of times."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
from datetime import timedelta

import pytest
from procrastinate.exceptions import ConnectorException

from backend.kernel import clock as kernel_clock
from backend.kernel import db, jobs
from backend.kernel.config import Settings
from backend.kernel.jobs import registry, runner, schema


@pytest.fixture(autouse=True)
async def empty(database, monkeypatch):
    monkeypatch.setattr(registry, "_jobs", {})
    await db.pool().execute(
        "DELETE FROM procrastinate_periodic_defers; DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers"
    )


async def defer(*args, **kwargs) -> int | None:
    async with db.transaction() as tx:
        return await jobs.defer(tx, *args, **kwargs)


async def stored() -> list[tuple[str, str, int]]:
    rows = await db.fetch("SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY id")
    return [tuple(row) for row in rows]


async def run_now(settings) -> None:
    await db.pool().execute("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
    await runner.run_waiting(settings)


async def test_runs_with_the_arguments_it_was_given_once_the_transaction_commits(database):
    ran = []

    @jobs.task(name="parcels.send")
    async def send(parcel_id: str, tags: list[str], note: str | None) -> None:
        ran.append((parcel_id, tags, note))

    assert await defer(send, parcel_id="P1 %s $1 '", tags=["a"], note=None)
    await runner.run_waiting(database)

    assert ran == [("P1 %s $1 '", ["a"], None)]
    assert await stored() == []


async def test_a_rolled_back_transaction_leaves_no_job(database):
    async def fail() -> None:
        async with db.transaction() as tx:
            await jobs.defer(tx, "parcels.send")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await stored() == []


async def test_unique_keeps_one_waiting_and_the_transaction_alive(database):
    async with db.transaction() as tx:
        first = await jobs.defer(tx, "parcels.send", unique="P1")
        second = await jobs.defer(tx, "parcels.send", unique="P1")
        third = await jobs.defer(tx, "parcels.send", unique="P2")

    assert first
    assert second is None
    assert third
    assert await stored() == [("parcels.send", "todo", 0)] * 2


async def test_unique_waits_for_whoever_is_queueing_the_same_word(database):
    async with db.transaction() as tx:
        first = await jobs.defer(tx, "parcels.send", unique="P1")
        second = asyncio.create_task(defer("parcels.send", unique="P1"), context=contextvars.Context())
        while not await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0)

    assert first
    assert await second is None
    assert await stored() == [("parcels.send", "todo", 0)]


async def test_waits_for_its_time(database):
    ran = []

    @jobs.task(name="parcels.send")
    async def send() -> None:
        ran.append(1)

    await defer(send, run_at=kernel_clock.now() + timedelta(hours=1))
    await runner.run_waiting(database)

    assert ran == []
    assert await stored() == [("parcels.send", "todo", 0)]


async def test_tries_again_a_bounded_number_of_times_then_keeps_it_as_failed(database):
    ran = []

    @jobs.task(name="parcels.send", retry=2)
    async def send() -> None:
        ran.append(1)
        raise RuntimeError("no")

    await defer(send)
    for _ in range(5):
        await run_now(database)

    assert len(ran) == 3
    assert await stored() == [("parcels.send", "failed", 3)]
    (failed,) = await jobs.list_failed()
    assert (failed.name, failed.attempts) == ("parcels.send", 3)


async def test_waits_longer_after_each_try(database):
    @jobs.task(name="parcels.send")
    async def send() -> None:
        raise RuntimeError("no")

    await defer(send)
    waits = []
    for _ in range(3):
        await run_now(database)
        waits.append(await db.fetchval("SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"))

    assert [round(float(wait)) for wait in waits] == pytest.approx([2, 4, 8], abs=1)


async def test_the_clock_starts_a_job_that_takes_no_arguments(database):
    ran = asyncio.Event()

    @jobs.every("* * * * * *")
    @jobs.task(name="parcels.sweep", retry=0)
    async def sweep() -> None:
        ran.set()

    running = asyncio.create_task(runner.run(database))
    try:
        async with asyncio.timeout(60):
            await ran.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert registry.declared()[0].crons == ["* * * * * *"]


async def test_a_job_that_runs_at_shutdown_is_finished(database):
    started, done = asyncio.Event(), asyncio.Event()

    @jobs.task(name="parcels.send")
    async def send() -> None:
        started.set()
        await asyncio.sleep(0.3)
        done.set()

    running = asyncio.create_task(runner.run(database))
    await defer(send)
    async with asyncio.timeout(60):
        await started.wait()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert done.is_set()
    assert "parcels.send" not in [name for name, _, _ in await stored()]


async def test_what_somebody_waits_for_lies_in_a_queue_of_its_own(database):
    for urgent in (False, True):
        await defer("parcels.answer", urgent=urgent)
        await defer("parcels.tell", urgent=urgent, unique=f"tell-{urgent}")

    rows = await db.fetch("SELECT task_name, queue_name FROM procrastinate_jobs ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("parcels.answer", "default"),
        ("parcels.tell", "default"),
        ("parcels.answer", "urgent"),
        ("parcels.tell", "urgent"),
    ]


async def test_what_somebody_waits_for_runs_beside_jobs_that_take_all_the_other_places(database):
    """A customer's answer does not wait until a catalogue is imported; and none of it is lost when the worker stops."""
    busy, over, answered = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()

    @jobs.task(name="parcels.import")
    async def long() -> None:
        busy.release()
        await over.wait()

    @jobs.task(name="parcels.answer")
    async def answer() -> None:
        answered.set()

    for _ in range(runner.CONCURRENCY + 1):
        await defer(long)
    running = asyncio.create_task(runner.run(database))
    try:
        async with asyncio.timeout(60):
            for _ in range(runner.CONCURRENCY):
                await busy.acquire()
            await defer(answer, urgent=True)
            await answered.wait()
        waiting = [row for row in await stored() if row[0] == "parcels.import"]
        workers = await db.fetchval("SELECT count(*) FROM procrastinate_workers")
    finally:
        over.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert [status for _, status, _ in waiting] == ["doing"] * runner.CONCURRENCY + ["todo"]
    assert workers == 2
    assert await db.fetchval("SELECT count(*) FROM procrastinate_workers") == 0


async def test_a_job_whose_worker_died_is_queued_again_and_one_of_the_clock_if_it_is_to_be(database):
    ran = []

    @jobs.task(name="parcels.send")
    async def send() -> None:
        pass

    @jobs.every("0 0 1 1 *")
    async def sweep() -> None:
        ran.append("sweep")

    @jobs.every("0 0 1 1 *", retry=3)
    async def age() -> None:
        ran.append("age")

    for name in ("parcels.send", registry.name_of(sweep), registry.name_of(age)):
        await defer(name)
    await db.pool().execute("""
        WITH dead AS (
            INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)
        UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead""")
    await defer(runner.REVIVE, timestamp=0)

    await runner.run_waiting(database)

    await run_now(database)
    assert await stored() == []
    assert ran == ["age"]


async def test_a_job_of_the_clock_that_waits_already_is_not_queued_twice(database):
    ran = []

    @jobs.every("0 0 1 1 *", retry=3)
    async def age() -> None:
        ran.append("age")

    name = registry.name_of(age)
    await defer(name, unique=name)
    await db.pool().execute("""
        WITH dead AS (
            INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)
        UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead""")
    await defer(name, unique=name, run_at=kernel_clock.now() + timedelta(hours=1))
    await defer(runner.REVIVE, timestamp=0)

    await runner.run_waiting(database)
    await run_now(database)

    assert ran == ["age"]
    assert await stored() == []


async def run_until(so: asyncio.Event | None, settings: Settings) -> BaseException | None:
    """Run jobs until that happens, or the worker ends; what it ended with, cancelled where it hangs for a minute."""
    running = asyncio.create_task(runner.run(settings))
    seen = [] if so is None else [asyncio.create_task(so.wait())]
    await asyncio.wait([running, *seen], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    ended = running.done()
    for task in (running, *seen):
        task.cancel()
    await asyncio.gather(running, *seen, return_exceptions=True)
    return running.exception() if ended else None


@pytest.fixture
def deaf(database, engines):
    """Whether the queue takes no note of what ends: neither of jobs nor of workers."""
    place = db.connect_args(database.database_url)

    def turn(*, off: bool) -> None:
        verb, whom = ("REVOKE", "FROM") if off else ("GRANT", "TO")
        for table in ("procrastinate_jobs", "procrastinate_workers"):
            engines.postgres.sql(f"{verb} DELETE ON {table} {whom} {place['user']}", place["database"])

    yield turn
    turn(off=False)


async def test_what_a_worker_could_not_end_the_next_one_of_the_process_takes_up_at_once(database, deaf, monkeypatch):
    """Its heartbeat is young, so nobody else takes it for dead; a job of the clock would never run again."""
    monkeypatch.setattr(runner, "POLL_S", 0.1)
    ran: list[str] = []
    both = asyncio.Event()

    @jobs.task(name="parcels.send")
    async def send(parcel: str) -> None:
        ran.append(parcel)
        if ran == ["unwritten"]:
            deaf(off=True)
            await db.pool().execute(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, status, args, worker_id)"
                " SELECT task_name, queue_name, 'doing', '{\"parcel\": \"never heard of\"}', worker_id"
                "   FROM procrastinate_jobs WHERE task_name = 'parcels.send' AND worker_id IS NOT NULL"
            )
        if len(ran) == 3:
            both.set()

    await defer(send, parcel="unwritten")
    assert isinstance(await run_until(None, database), ConnectorException)  # it ends by itself, and cannot sign off
    assert [row for row in await stored() if row[0] == "parcels.send"] == [("parcels.send", "doing", 0)] * 2
    deaf(off=False)

    await run_until(both, database)

    assert sorted(ran) == ["never heard of", "unwritten", "unwritten"]
    assert [row for row in await stored() if row[0] == "parcels.send"] == []
    assert await db.fetchval("SELECT count(*) FROM procrastinate_workers") == 0


async def test_what_runs_at_another_worker_is_left_alone(database):
    @jobs.task(name="parcels.send")
    async def send() -> None:
        raise RuntimeError("no")

    await defer(send)
    await run_now(database)
    assert await stored() == [("parcels.send", "todo", 1)]
    await db.pool().execute("""
        WITH alive AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)
        UPDATE procrastinate_jobs SET status = 'doing', worker_id = alive.id FROM alive""")

    await defer(runner.REVIVE, timestamp=0)
    await runner.run_waiting(database)

    assert await stored() == [("parcels.send", "doing", 1)]


async def test_a_job_nobody_declares_ends_as_failed(database):
    await defer("parcels.unheard_of")

    await runner.run_waiting(database)

    assert await stored() == [("parcels.unheard_of", "failed", 1)]


async def test_every_names_a_job_after_its_module():
    async def sweep() -> None:
        pass

    sweep.__module__ = "backend.parcels.jobs"
    jobs.every("* * * * *")(sweep)

    assert registry.name_of(sweep) == "parcels.sweep"


async def test_two_jobs_of_one_name_are_refused():
    async def one() -> None:
        pass

    async def other() -> None:
        pass

    jobs.task(name="same")(one)

    with pytest.raises(TypeError, match="two jobs are called same"):
        jobs.task(name="same")(other)


async def test_refuses_tables_of_another_release(database, monkeypatch):
    await runner.check_schema()

    monkeypatch.setattr(schema, "version", lambda: "99.00.00_01_pre")
    with pytest.raises(runner.SchemaOutdated, match=r"huiyuan migrate"):
        await runner.check_schema()


async def test_the_migration_survives_percent_and_dollar_and_can_be_taken_back(database):
    import asyncpg

    connection = await asyncpg.connect(**db.connect_args(database.migrate_database_url))
    try:
        source = await connection.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'procrastinate_finish_job_v1'")
        assert "(job id: %)" in source
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(schema.DROP)
        left = await connection.fetchval("""
            SELECT (SELECT count(*) FROM pg_proc WHERE starts_with(proname, 'procrastinate_'))
                 + (SELECT count(*) FROM pg_class WHERE starts_with(relname, 'procrastinate_'))
                 + (SELECT count(*) FROM pg_type WHERE starts_with(typname, 'procrastinate_'))""")
        assert left == 0
        await connection.execute(schema.create())
        await transaction.rollback()
    finally:
        await connection.close()


def test_a_server_process_loads_neither_procrastinate_nor_psycopg():
    code = (
        "import sys; import backend.kernel.jobs; print([m for m in ('procrastinate', 'psycopg') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.strip() == "[]"
