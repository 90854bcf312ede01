"""The relay: hands every event in the outbox to its handlers, at least once, and forgets it.

Events are taken in the order (member, id), so one relay handles a member's events in order as long as nothing fails; a
failed one is tried again later and holds nobody up. Several relays share the work row by row (SKIP LOCKED). Polling is
the truth; NOTIFY on channel ``outbox`` only wakes the relay earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import asyncpg
import msgspec
from tortoise.exceptions import BaseORMException

from . import clock, db, events, logging, metrics
from .config import Settings
from .db import Record, Tx
from .redaction import redact_text
from .tasks import end

log = logging.get(__name__)

BATCH = 256
LARGEST_BATCH = 2048
FORGET_BATCH = 5_000
MAX_ATTEMPTS = 12
LONGEST_WAIT_S = 3600
HANDLER_TIMEOUT_S = 15
UNKNOWN_KEPT = timedelta(days=1)
"""How long an event that this release does not know waits for one that does, before it is forgotten."""

FORGET_EVERY_S = 0.2
BUSY_PAUSE_S = 0.05
IDLE_PAUSE_S = 0.5
REST = 0.5
LONGEST_REST_S = 0.25
MEASURE_EVERY_S = 5.0
COUNTED = 20_000

_TRANSIENT = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException)

# The outbox is empty at one moment and full at the next, and statistics come late: a plan kept from the empty table
# would scan the full one for every batch, and a claim planned on stale statistics would sort all of it.
_PLAN_AFRESH = "SET LOCAL plan_cache_mode = force_custom_plan"
_BY_INDEX = f"{_PLAN_AFRESH}; SET LOCAL enable_sort = off"
_AS_USUAL = "SET LOCAL enable_sort = on"
# A parked event has `not_before` infinity: it is kept until somebody decides.
_CLAIM = """
SELECT member_id, id, at, name, body::text AS body, attempts
  FROM outbox
 WHERE name = ANY ($1::text[]) AND (not_before IS NULL OR not_before <= $2)
 ORDER BY member_id, id
 LIMIT $3
   FOR UPDATE SKIP LOCKED"""
_CLAIM_ONE = """
SELECT name, body::text AS body FROM outbox WHERE member_id = $1 AND id = $2 AND at = $3 FOR UPDATE SKIP LOCKED"""
_DELETE = """
DELETE FROM outbox o USING unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS d (member_id, id, at)
 WHERE o.member_id = d.member_id AND o.id = d.id AND o.at = d.at"""
_FORGET = """
WITH idle AS (
    SELECT member_id, id, at FROM outbox
     WHERE name = ANY ($1::text[]) OR (name <> ALL ($2::text[]) AND at < $3)
     LIMIT $4 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM outbox o USING idle d WHERE o.member_id = d.member_id AND o.id = d.id AND o.at = d.at RETURNING 1
) SELECT count(*) FROM gone"""
_DEFER = """
UPDATE outbox SET attempts = attempts + 1, last_error = $5,
       not_before = CASE WHEN attempts + 1 >= $6 THEN 'infinity' ELSE $4::timestamptz END
 WHERE member_id = $1 AND id = $2 AND at = $3
RETURNING not_before = 'infinity' AS parked, attempts"""
_MEASURE = """
SELECT count(*) FILTER (WHERE NOT parked) AS pending, count(*) FILTER (WHERE parked) AS parked,
       min(at) FILTER (WHERE NOT parked AND (not_before IS NULL OR not_before <= $1)) AS oldest
  FROM (SELECT at, not_before, not_before IS NOT DISTINCT FROM 'infinity' AS parked FROM outbox LIMIT $2) AS o"""
_PARKED = """
SELECT member_id, id, name, at, attempts, coalesce(last_error, '') AS last_error
  FROM outbox WHERE not_before = 'infinity' ORDER BY at, member_id, id LIMIT $1"""
_RETRY = """
UPDATE outbox SET attempts = 0, not_before = NULL
 WHERE not_before = 'infinity' AND ($1::bigint IS NULL OR (member_id = $1 AND id = $2))"""


class Parked(msgspec.Struct, frozen=True):
    """An event that was given up on after its last try."""

    member_id: int
    id: int
    name: str
    at: datetime
    attempts: int
    last_error: str


async def list_parked(limit: int = 100) -> list[Parked]:
    """The events that were given up on, oldest first."""
    return [Parked(**row) for row in await db.fetch(_PARKED, limit)]


async def retry_parked(member_id: int | None = None, event_id: int | None = None) -> int:
    """Try parked events again from the beginning: one of them, or all; returns how many."""
    status: str = await db.pool().execute(_RETRY, member_id, event_id)
    return int(status.rpartition(" ")[2])


async def measure() -> None:
    """Set the gauges of the outbox; looks at a bounded number of rows."""
    row = await db.fetchrow(_MEASURE, clock.now(), COUNTED)
    assert row is not None
    lag_s = (clock.now() - row["oldest"]).total_seconds() if row["oldest"] else 0.0
    metrics.OUTBOX_PENDING.set(row["pending"])
    metrics.OUTBOX_PARKED.set(row["parked"])
    metrics.OUTBOX_LAG_SECONDS.set(max(0.0, lag_s))


async def relay_once() -> int:
    """Forget what nobody handles and handle one batch; returns how many events left the outbox or were put off."""
    return await _forget() + await _handle_batch(BATCH)


async def drain() -> int:
    """Relay until nothing is due (tests, tools); returns how many events it was."""
    total = 0
    while count := await relay_once():
        total += count
    return total


async def _forget() -> int:
    handled, known = events.handled_names(), events.known_names()
    unhandled = sorted(set(known) - set(handled))
    async with db.pool().acquire() as connection, connection.transaction():
        await connection.execute(_PLAN_AFRESH)
        before = clock.now() - UNKNOWN_KEPT
        gone: int = await connection.fetchval(_FORGET, unhandled, known, before, FORGET_BATCH)
    if gone:
        metrics.OUTBOX_RELAYED.inc(gone)
    return gone


async def _handle_batch(batch: int) -> int:
    """Handle a batch in one transaction; if anything in it fails, each event again in one of its own.

    What has failed before goes alone from the start, so that it does not take its neighbours with it again.
    """
    names = events.handled_names()
    if not names:
        return 0
    rows: Sequence[Record] = ()
    fresh: list[Record] = []
    alone: list[Record] = []
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(_BY_INDEX)
            rows = await db.fetch_in(tx, _CLAIM, names, clock.now(), batch)
            await db.raw(tx).execute(_AS_USUAL)
            for row in rows:
                (alone if row["attempts"] else fresh).append(row)
            for row in fresh:
                await _run_handlers(row["name"], row["body"], tx)
            if fresh:
                await _delete(tx, fresh)
    except Exception as error:
        if not rows:
            raise
        if len(fresh) > 1:
            log.info("outbox.batch_split", size=len(fresh), error=type(error).__name__)
        alone = list(rows)
    else:
        metrics.OUTBOX_RELAYED.inc(len(fresh))
    await _handle_singly(alone)
    return len(rows)


async def _handle_singly(rows: Sequence[Record]) -> None:
    for row in rows:
        try:
            async with db.transaction() as tx:
                claimed = await db.fetch_in(tx, _CLAIM_ONE, row["member_id"], row["id"], row["at"])
                if not claimed:  # another relay has it
                    continue
                await _run_handlers(claimed[0]["name"], claimed[0]["body"], tx)
                await _delete(tx, (row,))
        except Exception as error:
            await _put_off(row, error)
        else:
            metrics.OUTBOX_RELAYED.inc()


async def _run_handlers(name: str, body: str, tx: Tx) -> None:
    event = events.decode(name, body)
    for handler in events.handlers_of(name):
        async with asyncio.timeout(HANDLER_TIMEOUT_S):
            await handler(event, tx)


async def _delete(tx: Tx, rows: Sequence[Record]) -> None:
    columns = [[row[column] for row in rows] for column in ("member_id", "id", "at")]
    await db.raw(tx).execute(_DELETE, *columns)


async def _put_off(row: Record, error: Exception) -> None:
    """Keep a failed event for later: after 1, 2, 4 … seconds, an hour at most, and for good after the last try."""
    name = row["name"]
    metrics.OUTBOX_FAILURES.labels(name).inc()
    again_at = clock.now() + timedelta(seconds=min(2 ** row["attempts"], LONGEST_WAIT_S))
    text = redact_text(f"{type(error).__name__}: {error}")[:500].replace("\0", "")
    key = (row["member_id"], row["id"], row["at"])
    outcome = await db.fetchrow(_DEFER, *key, again_at, text, MAX_ATTEMPTS)
    if outcome is None:
        return
    context: dict[str, Any] = {"event_name": name, "member_id": row["member_id"], "event_id": row["id"]}
    if outcome["parked"]:
        log.error("outbox.parked", **context, attempts=outcome["attempts"], exc_info=error)
    else:
        log.warning("outbox.failed", **context, attempts=outcome["attempts"], error=text)


class Relay:
    """The loop around it all, for the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hint = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Finish the batch under way, then let ``run`` return."""
        self._stopping = True
        self._hint.set()

    async def run(self) -> None:
        """Relay until ``stop``; a database that is gone is waited for."""
        helpers = [asyncio.create_task(self._listen()), asyncio.create_task(self._measure())]
        pause, batch = BUSY_PAUSE_S, BATCH
        forget_at = 0.0
        try:
            while not self._stopping:
                began = monotonic()
                try:
                    count = await _handle_batch(batch)
                    if monotonic() >= forget_at:  # it looks at everything: not at every batch of a backlog
                        gone = await _forget()
                        forget_at = monotonic() + (0.0 if gone >= FORGET_BATCH else FORGET_EVERY_S)
                        count = max(count, gone)
                except _TRANSIENT as error:
                    log.warning("outbox.relay_failed", error=type(error).__name__)
                    await self._wait(2.0)
                    continue
                if count >= batch:  # more is waiting; claiming costs with the backlog, so claim more at a time
                    batch = min(batch * 2, LARGEST_BATCH)
                    # On a small machine a backlog must not take the processor from those who make it.
                    await asyncio.sleep(min((monotonic() - began) * REST, LONGEST_REST_S))
                    continue
                batch = BATCH
                # Under load a short pause lets batches fill; when nothing comes the polls grow rare.
                pause = BUSY_PAUSE_S if count else min(pause * 1.5, IDLE_PAUSE_S)
                await asyncio.sleep(BUSY_PAUSE_S / 5)
                await self._wait(pause)
        finally:
            await end(*helpers)

    async def _wait(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._hint.wait()
        except TimeoutError:
            return
        finally:
            self._hint.clear()

    async def _listen(self) -> None:
        """Wake the loop when somebody says NOTIFY outbox; connects again when the connection is lost."""
        while True:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(
                    **db.connect_args(db.direct_url(self._settings)),
                    timeout=5,
                    server_settings={"application_name": "huiyuan-outbox"},
                )
                try:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener("outbox", lambda *_: self._hint.set())
                    self._hint.set()
                    await lost.wait()
                finally:
                    await connection.close(timeout=2)
            except _TRANSIENT as error:
                log.debug("outbox.listen_failed", error=type(error).__name__)
            await asyncio.sleep(2)

    async def _measure(self) -> None:
        while True:
            try:
                await measure()
            except _TRANSIENT as error:
                log.debug("outbox.measure_failed", error=type(error).__name__)
            await asyncio.sleep(MEASURE_EVERY_S)
