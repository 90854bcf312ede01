"""Writes the letters of batches that run, a chunk in each transaction, only a little ahead of what is sent.

A chunk's letters and the place where the next one begins are written together: whoever is killed in between has done
nothing, and goes on there. So what waits stays small, and pausing or cancelling a batch stops it within a chunk.
"""

from __future__ import annotations

from datetime import datetime, time

from backend.audience import queries as audience
from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx

from .. import queries, rules
from ..service import send
from ..types import Batch, BatchState, Letter

log = logging.get(__name__)

CHUNK = 500
"""Members who are written to in one transaction."""

AHEAD = 2000
"""Deliveries of a batch that may wait before more of it is written."""

MOST_AT_ONCE = 20
"""Batches of which a chunk is written in one round, those first of which none was written for longest."""

_WAITING = (
    "SELECT count(*) FROM (SELECT FROM message_delivery WHERE batch_id = {} AND state IN ('queued', 'sending')"
    " AND channel <> 'post' LIMIT {}) w"  # letters by post wait for their labels
)
_READY = f"""
SELECT id FROM message_batch b WHERE state IN ('scheduled', 'running') AND (send_at IS NULL OR send_at <= $1)
   AND CASE WHEN written_at IS NOT NULL THEN ({_WAITING.format("b.id", "1")}) = 0
            ELSE NOT ($2 AND purpose <> 'service') AND ({_WAITING.format("b.id", "$3::int")}) < $3::int END
 ORDER BY updated_at, id LIMIT $4"""  # noqa: S608 - texts of ours
"""Batches of which something can be written, or of which nothing waits any more: all others hold up none of these."""


async def fill(now: datetime) -> int:
    """Write a chunk of each batch that runs or whose time has come; returns how many letters were written or sought.

    What waits for its time, for the morning, or for what was written of it to be sent holds up none behind it.
    """
    done = 0
    for row in await db.fetch(_READY, now, _is_quiet(now), AHEAD, MOST_AT_ONCE):
        try:
            done += await _fill(row["id"], now)
        except (KeyError, ValueError) as error:  # its template was changed: variables that it has no values for
            log.warning("messages.batch_stopped", batch_id=row["id"], error=type(error).__name__)
            await _stop(row["id"], "template", now)
    return done


async def _fill(batch_id: str, now: datetime) -> int:
    async with db.transaction() as tx:
        batch = await _take(tx, batch_id)
        if batch is None or (batch.send_at is not None and batch.send_at > now):
            return 0
        if batch.state is BatchState.SCHEDULED:
            await _set(tx, batch_id, now, "state = 'running', started_at = $2")
        waiting = await _count_waiting(tx, batch_id)
        if batch.written_at is not None:
            if not waiting:
                await _set(tx, batch_id, now, "state = 'done', ended_at = $2")
                log.info("messages.batch_done", batch_id=batch_id, letters=batch.written)
            return 0
        if waiting >= AHEAD or (_is_quiet(now) and rules.needs_consent(batch.purpose)):
            return 0
        return await _write_chunk(tx, batch, now)


async def _write_chunk(tx: Tx, batch: Batch, now: datetime) -> int:
    started_at = batch.started_at or now
    members = await audience.list_members(batch.audience, after=batch.after, limit=CHUNK, joined_until=started_at)
    if not members:
        await _set(tx, batch.id, now, "written_at = $2")
        return 1  # so that what is left of it is looked at once more
    letters = [Letter(member_id, batch.template, batch.given, batch.id, batch.link) for member_id in members]
    written = await send(tx, letters, batch_id=batch.id)
    await db.raw(tx).execute(
        "UPDATE message_batch SET written = written + $2, after = $3, updated_at = $4 WHERE id = $1",
        batch.id,
        written,
        members[-1],
        now,
    )
    return len(members)


def _is_quiet(now: datetime) -> bool:
    said = settings()
    begins, ends = time.fromisoformat(said.message_quiet_from), time.fromisoformat(said.message_quiet_until)
    return rules.quiet_until(now, begins, ends, clock.zone(said.timezone)) is not None


async def _take(tx: Tx, batch_id: str) -> Batch | None:
    rows = await db.fetch_in(
        tx,
        f"{queries.BATCH} WHERE id = $1 AND state IN ('scheduled', 'running') FOR UPDATE SKIP LOCKED",
        batch_id,
    )
    return queries.batch_of(rows[0]) if rows else None


async def _count_waiting(tx: Tx, batch_id: str) -> int:
    """Deliveries of it that were not sent yet, as far as ``AHEAD``."""
    rows = await db.fetch_in(tx, _WAITING.format("$1", "$2"), batch_id, AHEAD)
    return int(rows[0][0])


async def _set(tx: Tx, batch_id: str, now: datetime, what: str) -> None:
    await db.raw(tx).execute(f"UPDATE message_batch SET {what}, updated_at = $2 WHERE id = $1", batch_id, now)  # noqa: S608


async def _stop(batch_id: str, problem: str, now: datetime) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE message_batch SET state = 'paused', problem = $2, updated_at = $3"
            " WHERE id = $1 AND state IN ('scheduled', 'running')",
            batch_id,
            problem,
            now,
        )
