"""procrastinate itself: only the worker imports this module."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job as StoredJob
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo
from structlog.contextvars import bound_contextvars

from .. import db, logging, metrics
from ..config import Settings
from . import registry, schema
from .queue import QUEUE, URGENT
from .registry import Job

log = logging.get(__name__)

CONCURRENCY = 2
URGENT_AT_ONCE = 2
"""Jobs that a worker runs at once; and of those that somebody waits for, beside them."""
POLL_S = 5.0
LONGEST_WAIT_S = 900
CONNECTION_WITHIN_S = 10.0
STALLED_AFTER_S = 60
FAILED_KEPT_HOURS = 30 * 24
REVIVED_AT = "* * * * * */15"
REVIVE = "jobs.revive"
CLEAN = "jobs.clean"

_left: set[int] = set()
"""Workers of this process that have ended and could not say so; the next one signs them off."""


class SchemaOutdated(Exception):
    """The job queue's tables are not those of the installed procrastinate; the message says what to do."""


class _Backoff(BaseRetryStrategy):
    """A bounded number of tries, 2, 4, 8 … seconds apart, a quarter of an hour at most."""

    def __init__(self, retries: int) -> None:
        self._retries = retries

    def get_retry_decision(self, *, exception: BaseException, job: StoredJob) -> RetryDecision | None:
        if job.attempts >= self._retries:
            return None
        return RetryDecision(retry_in={"seconds": min(2 ** (job.attempts + 1), LONGEST_WAIT_S)})


def conninfo(url: str) -> str:
    """libpq's form of a database address, read the same way as for asyncpg."""
    args = db.connect_args(url)
    return make_conninfo(
        host=args["host"], port=args["port"], user=args["user"], password=args["password"], dbname=args["database"],
        sslmode=args.get("ssl"),
        application_name="huiyuan-jobs", connect_timeout=5,
    )  # fmt: skip


def build(settings: Settings, *, periodic: bool = True) -> App:
    """procrastinate's application with every declared job; without ``periodic`` the clock starts nothing."""
    connector = PsycopgConnector(
        conninfo=conninfo(db.direct_url(settings)),
        min_size=1,
        max_size=CONCURRENCY + URGENT_AT_ONCE + 4,
        # With each dead connection that it finds the pool doubles its pause, up to half a minute while the database is
        # long back. When it gives up, procrastinate ends and is started again, with a new pool.
        timeout=CONNECTION_WITHIN_S,
        # psycopg prepares what it has run five times; said as asyncpg is told it.
        kwargs={} if settings.statement_cache_size else {"prepare_threshold": None},
    )
    app = App(connector=connector)
    for job in registry.declared():
        # A job of the clock waits at most once and never runs beside itself.
        lock = job.name if job.crons else None
        declare = app.task(name=job.name, queue=QUEUE, retry=_Backoff(job.retries), lock=lock, queueing_lock=lock)
        task = declare(_entry(job))
        for cron in job.crons if periodic else ():
            _run_at(app, cron, task)
    revive = app.task(name=REVIVE, queue=QUEUE, queueing_lock=REVIVE, pass_context=True)(_revive)
    clean = app.task(name=CLEAN, queue=QUEUE, queueing_lock=CLEAN, pass_context=True)(_clean)
    if periodic:
        _run_at(app, REVIVED_AT, revive)
        _run_at(app, "17 19 * * *", clean)
    return app


def _run_at(app: App, cron: str, task: Any) -> None:
    app.periodic(cron=cron, periodic_id=cron)(task)


async def check_schema() -> None:
    """Refuse to work on tables of another release of procrastinate."""
    found = await db.fetchval(f"SELECT {schema.VERSION_OF_TABLE}")
    if found != schema.version():
        raise SchemaOutdated(
            f"the job queue's tables are at {found}, the installed procrastinate needs {schema.version()}: "
            "run `huiyuan migrate` of this release"
        )


async def run(settings: Settings) -> None:
    """Run jobs until cancelled; then the running ones may finish within the grace period.

    Ends by itself when a connection fails. What was under way then is taken up as soon as this is called again.
    """
    app = build(settings)
    async with app.open_async():
        await _take_over(app)
        await _run_together(
            _worker(Worker, app, settings, QUEUE, CONCURRENCY), _worker(_Beside, app, settings, URGENT, URGENT_AT_ONCE)
        )


class _Beside(Worker):
    """A worker beside another one in the same process, which alone looks at the clock."""

    async def _periodic_deferrer(self) -> None:
        await asyncio.Event().wait()  # one that ended would end the watch over the connection that listens


def _worker(kind: type[Worker], app: App, settings: Settings, queue: str, at_once: int) -> Worker:
    return kind(
        app,
        queues=[queue],
        concurrency=at_once,
        install_signal_handlers=False,
        fetch_job_polling_interval=POLL_S,
        shutdown_graceful_timeout=settings.shutdown_grace_s,
        stalled_worker_timeout=STALLED_AFTER_S,
        delete_jobs="successful",
        worker_middleware=[_observe],
    )


async def _run_together(*workers: Worker) -> None:
    """Run them until one ends or this is cancelled: then each finishes what it has begun. Raises what one raised."""
    running = [asyncio.create_task(_run(worker), name=f"jobs {worker.queues}") for worker in workers]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        await _end(running)
    except asyncio.CancelledError:
        await _end(running)
        raise
    for ended in running:
        if not ended.cancelled():
            ended.result()


async def _end(running: list[asyncio.Task[None]]) -> None:
    """Let workers finish; cancelled once more they are cut short."""
    for task in running:
        task.cancel()
    try:
        await asyncio.wait(running)
    except asyncio.CancelledError:
        for task in running:
            task.cancel()
        raise


async def _run(worker: Worker) -> None:
    try:
        await worker.run()  # type: ignore[no-untyped-call]
    finally:
        if worker.worker_id is not None:  # its jobs have ended, but the database was not there to be told
            _left.add(worker.worker_id)


async def _take_over(app: App) -> None:
    """Sign off the workers that this process had before, and look at once for what they left half-way.

    To the database they still lived: their last heartbeat is young.
    """
    for worker_id in list(_left):
        await app.job_manager.unregister_worker(worker_id)
        _left.discard(worker_id)
    with suppress(AlreadyEnqueued):
        await app.tasks[REVIVE].defer_async(timestamp=0)


async def run_waiting(settings: Settings) -> None:
    """Run the jobs that are due now and return (tests, tools); the clock's jobs only if somebody deferred them."""
    app = build(settings, periodic=False)
    async with app.open_async():
        await app.run_worker_async(
            wait=False, listen_notify=False, install_signal_handlers=False, delete_jobs="successful",
            worker_middleware=[_observe],
        )  # fmt: skip


def _entry(job: Job) -> Callable[..., Awaitable[Any]]:
    """The function as procrastinate calls it: the time it was due only if it asks for it, its result dropped."""
    wants_timestamp = "timestamp" in inspect.signature(job.function).parameters

    async def entry(**arguments: Any) -> None:
        if job.crons and not wants_timestamp:
            arguments.pop("timestamp", None)
        await job.function(**arguments)

    return entry


async def _observe(call_next: Callable[[], Awaitable[Any]], context: JobContext | None, worker: Worker) -> Any:
    """Count every run and log how it ended; arguments are not logged."""
    assert context is not None
    job = context.job
    _watch(worker, job)
    with bound_contextvars(job=job.task_name, job_id=job.id):
        try:
            result = await call_next()
        except (Exception, asyncio.CancelledError) as error:
            metrics.JOB_RUNS.labels(job.task_name, "failed").inc()
            log.warning("job.failed", attempts=job.attempts + 1, error=type(error).__name__, exc_info=error)
            raise
        metrics.JOB_RUNS.labels(job.task_name, "done").inc()
        log.debug("job.done")
        return result


def _watch(worker: Worker, job: StoredJob) -> None:
    """End the worker when the end of this run cannot be written down: the next one takes the job up.

    To the database it would be under way as long as the worker lives, and one of the clock would never run again.
    """

    def ended(run: asyncio.Task[Any]) -> None:
        # What the job itself raises ends up in the database, not here.
        if not run.cancelled() and (error := run.exception()) is not None:
            log.warning("job.end_unwritten", job=job.task_name, job_id=job.id, error=type(error).__name__)
            worker.stop()  # type: ignore[no-untyped-call]

    run = asyncio.current_task()
    assert run is not None
    run.add_done_callback(ended)


async def _revive(context: JobContext, timestamp: int) -> None:
    """Queue the jobs again that a dead worker left half-way; those of the clock come again by themselves.

    Unless they are to be tried again: then they are taken up at once, too, where the clock has not queued them anyway.
    A worker is dead when it has signed off or was not heard of for a minute.
    """
    manager = context.app.job_manager
    by_name = {job.name: job for job in registry.declared()}
    for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
        job = by_name.get(stalled.task_name)
        again = job is not None and stalled.attempts < (job.retries if job.crons else max(job.retries, 1))
        log.warning("job.stalled", job=stalled.task_name, job_id=stalled.id, attempts=stalled.attempts, again=again)
        if not (again and await _queued_again(manager, stalled)):
            await manager.finish_job(stalled, Status.FAILED, delete_job=job is None or bool(job.crons))


async def _queued_again(manager: JobManager, stalled: StoredJob) -> bool:
    """Queue a job once more; False where the clock queued it meanwhile."""
    try:
        await manager.retry_job(stalled)
    except UniqueViolation:
        return False
    return True


async def _clean(context: JobContext, timestamp: int) -> None:
    """Delete what failed or was cancelled a month ago."""
    await context.app.job_manager.delete_old_jobs(
        FAILED_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
