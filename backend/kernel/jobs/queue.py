"""Putting jobs into the queue on our own transactions, through procrastinate's SQL function."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from .. import db
from ..db import Tx
from .registry import JobFunction, name_of

QUEUE = "default"
URGENT = "urgent"
"""What somebody waits for: it has places of its own in each worker, so that it never waits behind long jobs."""

_DEFER = """
SELECT (procrastinate_defer_jobs_v1(ARRAY[
    ROW ($1::varchar, $2::varchar, 0, NULL::text, $3::text, $4::text::jsonb, $5::timestamptz)
]::procrastinate_job_to_defer_v1[]))[1]"""
_WAITS = "SELECT true FROM procrastinate_jobs WHERE queueing_lock = $1 AND status = 'todo'"
_FAILED = """
SELECT j.id, j.task_name AS name, j.args::text AS arguments, j.attempts, max(e.at) AS at
  FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id
 WHERE j.status IN ('failed', 'aborted') GROUP BY j.id ORDER BY j.id DESC LIMIT $1"""


class FailedJob(msgspec.Struct, frozen=True):
    """A job that was given up on after its last try; it stays for 30 days."""

    id: int
    name: str
    arguments: str
    attempts: int
    at: datetime | None


async def defer(
    tx: Tx,
    job: str | JobFunction,
    /,
    *,
    run_at: datetime | None = None,
    unique: str | None = None,
    urgent: bool = False,
    **arguments: Any,
) -> int | None:
    """Enqueue a job on this transaction: it runs if and only if that commits. Returns its id.

    Args:
        tx: the open transaction.
        job: the declared function, or its name where the function lives in a layer above.
        run_at: not before this instant; at once by default.
        urgent: somebody waits for it; for jobs of seconds only.
        unique: while a job with this word waits, no other one is queued and None is returned.
        **arguments: JSON values for the function; ids, never personal data.
    """
    text = msgspec.json.encode(arguments).decode()
    connection, queue = db.raw(tx), URGENT if urgent else QUEUE
    if unique is None:
        return int(await connection.fetchval(_DEFER, queue, name_of(job), None, text, run_at))
    if await connection.fetchval(_WAITS, unique):  # the usual case, and PostgreSQL logs every refusal as an error
        return None
    try:
        async with connection.transaction():  # a savepoint, so that the refusal leaves the caller's work standing
            return int(await connection.fetchval(_DEFER, queue, name_of(job), unique, text, run_at))
    except asyncpg.UniqueViolationError:
        return None


async def list_failed(limit: int = 100) -> list[FailedJob]:
    """The jobs that were given up on, newest first."""
    return [FailedJob(**row) for row in await db.fetch(_FAILED, limit)]
