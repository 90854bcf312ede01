"""Many adjustments from one table: read whole before anything is given, then posted by a job, each row once.

A row that is bad refuses the table, unless the bad ones are to be skipped. A job that is cut short goes on where it
was: each row has its own key, so a row that was posted and not noted yet is posted no second time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import date

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, jobs, logging, tries
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, FieldError, NotFound, ValidationFailed, invalid
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import IdempotencyConflict, OutcomeUnknown, Stale
from backend.members import queries as members

from .. import plans, queries
from ..errors import PointsBatchOver
from ..records import Batch, BatchRow
from ..rules import tables
from ..types import Adjusting, AdjustReason, BatchState
from .adjustments import alone, plan_at

log = logging.get(__name__)

JOB = "points.run_batch"
KIND = "points_batch"
AT_ONCE = 100
MOST_SHOWN = 100
"""Flaws that a refusal names; the count is of all."""


class AskedBatch(msgspec.Struct, frozen=True):
    """What an approval of a batch carries."""

    batch_id: str


class Looked(msgspec.Struct, frozen=True):
    """A table that was read: its good rows with their members, and everything that is wrong with the others."""

    good: list[tuple[tables.Row, int]]
    flaws: list[tables.Flaw]

    @property
    def given(self) -> int:
        """Points that its good rows give."""
        return sum(row.points for row, _ in self.good if row.points > 0)

    @property
    def taken(self) -> int:
        """Points that its good rows take."""
        return -sum(row.points for row, _ in self.good if row.points < 0)


async def look(data: bytes, caller: StaffCaller) -> Looked:
    """Read a table and judge every row; nothing is written. Raises what is wrong with the whole of it."""
    today = clock.local_date(clock.now(), settings().timezone)
    try:
        rows, flaws = await asyncio.to_thread(tables.read, data, today)
    except tables.NotATable as error:
        raise invalid("", f"the table {error}") from error
    flaws += tables.twice(rows)
    bad = {flaw.row for flaw in flaws}
    known = await members.list_by_numbers([row.member_no for row in rows])
    good = []
    for row in rows:
        found = known.get(row.member_no)
        if found is None or not caller.reaches(found[1]):
            flaws.append(tables.Flaw(row.row, "member_no", "there is no such member"))
        elif row.row not in bad:
            good.append((row, found[0]))
    return Looked(good, sorted(flaws, key=lambda flaw: flaw.row))


async def begin(data: bytes, title: str, *, skip_bad: bool, caller: StaffCaller, key: str) -> Batch:
    """Take a table in, once per person and key: it is posted by a job, or waits for a second person.

    A bad row refuses all of it with ``ValidationFailed``, unless bad ones are skipped; then at least one must be good.
    """
    unique = f"{caller.staff_id}/{key}"
    digest = hashlib.sha256(f"{title} {skip_bad} ".encode() + data).digest()
    if (known := await queries.find_batch_of(unique)) is not None:
        return _same(known, digest)
    looked = await look(data, caller)
    if looked.flaws and (not skip_bad or not looked.good):
        raise ValidationFailed(
            f"{len(looked.flaws)} things are wrong with the table",
            errors=tuple(
                FieldError(f"/rows/{flaw.row}/{flaw.field}", flaw.message) for flaw in looked.flaws[:MOST_SHOWN]
            ),
        )
    batch_id = ids.short_of("B", caller.staff_id, key)
    async with db.transaction() as tx:
        made = await _write(tx, batch_id, unique, digest, title, looked, caller)
        if made and await approvals.count_alone(tx, caller.staff_id, [alone(looked.given + looked.taken)]):
            await db.raw(tx).execute("UPDATE points_batch SET state = 'running' WHERE id = $1", batch_id)
            await jobs.defer(tx, JOB, batch_id=batch_id)
        elif made:
            await approvals.request(
                tx,
                KIND,
                AskedBatch(batch_id),
                caller=caller,
                reason=title,
                store_id=caller.store_id,
                summary=f"批量调整 {len(looked.good)} 人：+{looked.given:,} / -{looked.taken:,} 积分",
                key=key,
            )
    log.info("points.batch_begun", batch_id=batch_id, staff_id=caller.staff_id, rows=len(looked.good))
    found = await queries.find_batch_of(unique)
    assert found is not None
    return _same(found, digest)


def _same(known: tuple[Batch, bytes], digest: bytes) -> Batch:
    if known[1] != digest:
        raise IdempotencyConflict
    return known[0]


async def _write(
    tx: Tx,
    batch_id: str,
    unique: str,
    digest: bytes,
    title: str,
    looked: Looked,
    caller: StaffCaller,
) -> bool:
    """Write it down as waiting; whether nobody had before."""
    now, rows = clock.now(), [row for row, _ in looked.good]
    made = await db.fetch_in(
        tx,
        "INSERT INTO points_batch (id, key, digest, title, state, rows, skipped, given, taken, staff_id, store_id,"
        " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        batch_id,
        unique,
        digest,
        title,
        BatchState.WAITING.value,
        len(rows),
        len({flaw.row for flaw in looked.flaws}),
        looked.given,
        looked.taken,
        caller.staff_id,
        caller.store_id,
        now,
    )
    if made:
        await db.raw(tx).copy_records_to_table(
            "points_batch_row",
            columns=["batch_id", "row_no", "member_id", "points", "reason", "note", "expires_on", "state"],
            records=[
                (batch_id, row.row, member_id, row.points, row.reason.value, row.text, row.expires_on, "waiting")
                for row, member_id in looked.good
            ],
        )
    return bool(made)


async def _apply(tx: Tx, body: AskedBatch, approval: Approval) -> None:
    """Let an approved batch be posted; one that was cancelled meanwhile is over."""
    started = await db.fetch_in(
        tx,
        "UPDATE points_batch SET state = 'running', approval_id = $2, updated_at = $3"
        " WHERE id = $1 AND state = 'waiting' RETURNING 1",
        body.batch_id,
        approval.id,
        clock.now(),
    )
    if not started:
        raise PointsBatchOver
    await jobs.defer(tx, JOB, batch_id=body.batch_id)


async def cancel(batch_id: str, caller: StaffCaller) -> Batch:
    """Post no further row; what was posted stays. Repeated, it changes nothing."""
    found = await get_batch(batch_id, caller)
    await _cancel(found.id, BatchState.WAITING, BatchState.RUNNING, BatchState.FAILED)
    after = await get_batch(batch_id, caller)
    if after.state is not BatchState.CANCELLED:
        raise PointsBatchOver
    return after


async def _cancel(batch_id: str, *states: BatchState) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE points_batch SET state = 'cancelled', updated_at = $2, ended_at = $2"
            " WHERE id = $1 AND state = ANY($3::text[])",
            batch_id,
            clock.now(),
            [state.value for state in states],
        )


async def take_up(batch_id: str, caller: StaffCaller) -> None:
    """Let a batch that was given up go on where it was. Repeated, it changes nothing."""
    found = await get_batch(batch_id, caller)
    async with db.transaction() as tx:
        if await tries.take_up(tx, "points_batch", found.id, working=BatchState.RUNNING):
            await jobs.defer(tx, JOB, batch_id=found.id)
    if (await get_batch(batch_id, caller)).state not in (BatchState.RUNNING, BatchState.DONE):
        raise PointsBatchOver


async def get_batch(batch_id: str, caller: StaffCaller) -> Batch:
    """A batch that this person may see; ``NotFound`` for any other."""
    found = await queries.find_batch(batch_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such batch")
    return found


async def run(batch_id: str, *, most: int | None = None) -> None:
    """Post the rows that wait, a hundred at a time; run again, it goes on where it was. ``most`` lists, for tests."""
    done = 0
    while most is None or done < most:
        batch = await queries.find_batch(batch_id)
        if batch is None or batch.state is not BatchState.RUNNING:
            return
        rows = await queries.list_waiting_rows(batch_id, limit=AT_ONCE)
        if not rows:
            await _end(batch_id)
            return
        if not await _post_all(batch, rows):
            return
        done += 1


async def _post_all(batch: Batch, rows: Sequence[BatchRow]) -> bool:
    """Post rows and note what became of them; False where one could not even be refused: it is tried again later."""
    on = clock.local_date(clock.now(), settings().timezone)
    outcomes: list[tuple[int, str]] = []
    for row in rows:
        if not await _runs(batch.id):
            break  # it was cancelled a moment ago, and whoever did so was told that no further row is posted
        try:
            outcomes.append((row.row_no, await _post(batch, row, on)))
        except Exception as error:
            await _note(batch.id, outcomes)
            await tries.failed("points_batch", batch.id, error, row=row.row_no, working=BatchState.RUNNING)
            return False
    await _note(batch.id, outcomes)
    return True


def _id_of(batch_id: str, row_no: int, member_id: int) -> str:
    """The adjustment of a row, whose 65 bits are always the same: what was posted of it is found again."""
    digest = hashlib.sha256(f"{batch_id}:{row_no}".encode()).digest()
    return ids.document_id(plans.ADJUSTMENT_PREFIX, member_id, int.from_bytes(digest[:9]) >> 7)


async def _post(batch: Batch, row: BatchRow, on: date) -> str:
    """Post one row; the code of its refusal, empty where it was posted.

    A job may have died before it noted what it had posted, and the member been merged since: then it is not the new
    number's once more.
    """
    own_id, *merged = await members.ids_of(await members.current_id(row.member_id))  # the list was read before
    for number in merged:
        if await ledger_queries.find_document(number, _id_of(batch.id, row.row_no, number)) is not None:
            return ""
    wish = Adjusting(
        id=_id_of(batch.id, row.row_no, own_id),
        member_id=own_id,
        points=row.points,
        reason=AdjustReason(row.reason),
        text=row.note,
        by=batch.staff_id,
        expires_on=row.expires_on,
        approval_id=batch.approval_id,
    )
    try:
        await ledger.post_fresh(lambda: plan_at(wish, clock.now(), on))
    except (Stale, OutcomeUnknown):
        raise  # tried again by the next run
    except DomainError as refused:
        return refused.code
    return ""


async def _runs(batch_id: str) -> bool:
    now = await queries.find_batch(batch_id)
    return now is not None and now.state is BatchState.RUNNING


async def _note(batch_id: str, outcomes: Sequence[tuple[int, str]]) -> None:
    if not outcomes:
        return
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE points_batch_row r SET state = CASE WHEN o.code = '' THEN 'posted' ELSE 'refused' END,"
            " refusal = nullif(o.code, '')"
            " FROM unnest($2::int[], $3::text[]) AS o (row_no, code)"
            " WHERE r.batch_id = $1 AND r.row_no = o.row_no AND r.state = 'waiting'",
            batch_id,
            [row_no for row_no, _ in outcomes],
            [code for _, code in outcomes],
        )
        await db.raw(tx).execute(
            f"UPDATE points_batch SET updated_at = $2, {tries.FRESH} WHERE id = $1",  # noqa: S608 - a constant
            batch_id,
            clock.now(),
        )


async def _end(batch_id: str) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE points_batch SET state = 'done', updated_at = $2, ended_at = $2"
            " WHERE id = $1 AND state = 'running'",
            batch_id,
            clock.now(),
        )
    log.info("points.batch_ended", batch_id=batch_id)


async def resume() -> int:
    """Go on with batches that nobody has worked on for a minute, and end those that nobody will approve; how many."""
    waiting = await queries.list_waiting()
    await tries.each(_lapse, await approval_queries.list_over(waiting))
    stuck = await queries.list_stuck(clock.now() - queries.STUCK_AFTER)
    await tries.each(run, stuck)
    return len(stuck)


async def _lapse(batch_id: str) -> None:
    """End one that waits in vain; one that was approved meanwhile goes on."""
    await _cancel(batch_id, BatchState.WAITING)


approvals.declare(
    Kind(code=KIND, title="批量积分调整", permission=Permission.POINTS_ADJUST, body=AskedBatch, apply=_apply)
)
