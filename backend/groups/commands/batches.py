"""Allotments to many people from one table: read whole before anything moves, then posted by a job, each row once.

A row that is bad refuses the table, unless the bad ones are to be skipped. A job that is cut short goes on where it
was: each row has its own key, so a row that was posted and not noted yet is posted no second time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Alone, Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, incoming, jobs, logging, tries
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, FieldError, NotFound, ValidationFailed, invalid
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict, OutcomeUnknown, Stale
from backend.members import queries as members

from .. import plans, queries, tables
from ..errors import AllotBatchOver, AllotmentLimit, AllotmentOver, AllotmentTooMuch
from ..schemas import AllotIn
from ..types import AllotBatch, AllotmentKind, AllotRow, BatchState, GroupState, SubMember
from . import allotting, groups

log = logging.get(__name__)

JOB = "groups.run_allot_batch"
KIND = "group_allot_batch"
AT_ONCE = 20
MOST_SHOWN = 100
STUCK_AFTER = timedelta(minutes=1)
"""Flaws that a refusal names; the count is of all."""

Form = Literal["csv", "xlsx"]


class AskedBatch(msgspec.Struct, frozen=True):
    """What an approval of a table carries; ``member_id`` is the owner, who is merged with nobody meanwhile."""

    batch_id: str
    member_id: int


class Looked(msgspec.Struct, frozen=True):
    """A table that was read: its good rows with the people they are for, what is wrong with the others, and what the
    group's owner has of each kind."""

    owner: SubMember
    good: list[tuple[tables.Row, SubMember]]
    flaws: list[tables.Flaw]
    has: dict[AllotmentKind, int]

    def total(self, kind: AllotmentKind) -> int:
        """What its good rows allot of a kind."""
        return sum(row.amount for row, _ in self.good if row.kind is kind)

    @property
    def alone(self) -> list[Alone]:
        """What one person of the staff decides alone on a day, as far as this is of it."""
        return allotting.decided_alone({kind: self.total(kind) for kind in AllotmentKind})


async def look(group_id: str, data: bytes, form: Form, caller: StaffCaller) -> Looked:
    """Read a table and judge every row; nothing is written. Raises what is wrong with the whole of it."""
    group = await groups.get_group(group_id, caller)
    owner = await queries.find_owner(group_id)
    if owner is None or group.state is not GroupState.OPEN:
        raise AllotmentOver("the group has no owner, or is closed")
    most = {kind: allotting.limits(kind)[0] for kind in AllotmentKind}
    try:
        rows, flaws = await asyncio.to_thread(_read, data, form, most)
    except incoming.NotATable as error:
        raise invalid("", f"the table {error}") from error
    here = await queries.list_here(group_id)
    known = await members.list_by_numbers([row.member_no for row in rows])
    good = []
    for row in rows:
        found = known.get(row.member_no)
        person = here.get(found[0]) if found else None
        if person is None or person.id == owner.id:
            flaws.append(tables.Flaw(row.row, "member_no", "is nobody else of this group"))
        else:
            good.append((row, person))
    return Looked(owner, good, sorted(flaws), await _has(owner))


def _read(data: bytes, form: Form, most: dict[AllotmentKind, int]) -> tuple[list[tables.Row], list[tables.Flaw]]:
    read = incoming.rows_of_csv if form == "csv" else incoming.rows_of_xlsx
    return tables.read(list(read(data, most=tables.MOST_ROWS)), most)


async def _has(owner: SubMember) -> dict[AllotmentKind, int]:
    held = await ledger.get_balances(owner.member_id)
    return {kind: held.get(plans.account_of(kind), 0) for kind in AllotmentKind}


async def begin(
    group_id: str, data: bytes, form: Form, title: str, *, skip_bad: bool, caller: StaffCaller, key: str
) -> AllotBatch:
    """Take a table in, once per person and key: it is posted by a job, or waits for a second person.

    A bad row refuses all of it with ``ValidationFailed``, unless bad ones are skipped; then at least one must be good.
    """
    unique = f"{caller.staff_id}/{key}"
    digest = hashlib.sha256(f"{group_id} {title} {form} {skip_bad} ".encode() + data).digest()
    if (known := await queries.find_batch_of(unique)) is not None:
        return _same(known, digest)
    looked = await look(group_id, data, form, caller)
    if looked.flaws and (not skip_bad or not looked.good):
        raise ValidationFailed(
            f"{len(looked.flaws)} things are wrong with the table",
            errors=tuple(
                FieldError(f"/rows/{flaw.row}/{flaw.field}", flaw.message) for flaw in looked.flaws[:MOST_SHOWN]
            ),
        )
    _check_sums(looked)
    batch_id = ids.short_of("GB", caller.staff_id, key)
    async with db.transaction() as tx:
        if await _write(tx, batch_id, group_id, unique, digest, title, looked, caller):
            await _start(tx, batch_id, group_id, title, looked, caller, key)
    log.info("groups.batch_begun", batch_id=batch_id, staff_id=caller.staff_id, rows=len(looked.good))
    found = await queries.find_batch_of(unique)
    assert found is not None
    return _same(found, digest)


def _same(known: tuple[AllotBatch, bytes], digest: bytes) -> AllotBatch:
    if known[1] != digest:
        raise IdempotencyConflict
    return known[0]


def _check_sums(looked: Looked) -> None:
    """Refuse what cannot be posted whole: more than the owner has, or than an owner allots in a day."""
    for kind in AllotmentKind:
        total = looked.total(kind)
        if total > looked.has[kind]:
            raise AllotmentTooMuch("the owner has not so much", extra={"kind": kind.value, "left": looked.has[kind]})
        if total > allotting.limits(kind)[1]:
            raise AllotmentLimit(extra={"limit": "day", "kind": kind.value})


async def _start(
    tx: Tx, batch_id: str, group_id: str, title: str, looked: Looked, caller: StaffCaller, key: str
) -> None:
    fen, points = looked.total(AllotmentKind.STORED), looked.total(AllotmentKind.POINTS)
    detail = {"batch_id": batch_id, "rows": len(looked.good), "stored_fen": fen, "points": points}
    await queries.changes.note(tx, group_id, caller.staff_id, "allot_batch", detail, clock.now())
    if await approvals.count_alone(tx, caller.staff_id, looked.alone):
        await db.raw(tx).execute("UPDATE group_allot_batch SET state = 'running' WHERE id = $1", batch_id)
        await jobs.defer(tx, JOB, batch_id=batch_id)
        return
    await approvals.request(
        tx,
        KIND,
        AskedBatch(batch_id, looked.owner.member_id),
        caller=caller,
        reason=title,
        store_id=None,
        summary=f"团体批量分配 {len(looked.good)} 笔：储值 ¥{fen / 100:,.2f}、积分 {points:,}",
        key=key,
    )


async def _write(
    tx: Tx,
    batch_id: str,
    group_id: str,
    unique: str,
    digest: bytes,
    title: str,
    looked: Looked,
    caller: StaffCaller,
) -> bool:
    made = await db.fetch_in(
        tx,
        "INSERT INTO group_allot_batch (id, key, digest, group_id, owner_id, title, state, rows, skipped, stored_fen,"
        " points, staff_id, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        batch_id,
        unique,
        digest,
        group_id,
        looked.owner.id,
        title,
        BatchState.WAITING.value,
        len(looked.good),
        len({flaw.row for flaw in looked.flaws}),
        looked.total(AllotmentKind.STORED),
        looked.total(AllotmentKind.POINTS),
        caller.staff_id,
        clock.now(),
    )
    if made:
        await db.raw(tx).copy_records_to_table(
            "group_allot_row",
            columns=["batch_id", "row_no", "person_id", "member_no", "kind", "amount", "note", "state"],
            records=[
                (batch_id, row.row, person.id, row.member_no, row.kind.value, row.amount, row.note, "waiting")
                for row, person in looked.good
            ],
        )
    return bool(made)


async def _apply(tx: Tx, body: AskedBatch, approval: Approval) -> None:
    """Let an approved table be posted; one that was cancelled meanwhile is over."""
    started = await db.fetch_in(
        tx,
        "UPDATE group_allot_batch SET state = 'running', approval_id = $2, updated_at = $3"
        " WHERE id = $1 AND state = 'waiting' RETURNING 1",
        body.batch_id,
        approval.id,
        clock.now(),
    )
    if not started:
        raise AllotBatchOver
    await jobs.defer(tx, JOB, batch_id=body.batch_id)


async def _reject(tx: Tx, body: AskedBatch, approval: Approval) -> None:
    """Nothing of a rejected table is posted."""
    await _cancel_in(tx, body.batch_id, BatchState.WAITING)


async def _cancel_in(tx: Tx, batch_id: str, *states: BatchState) -> None:
    await db.raw(tx).execute(
        "UPDATE group_allot_batch SET state = 'cancelled', updated_at = $2, ended_at = $2"
        " WHERE id = $1 AND state = ANY($3::text[])",
        batch_id,
        clock.now(),
        [state.value for state in states],
    )


async def cancel(group_id: str, batch_id: str, caller: StaffCaller) -> AllotBatch:
    """Post no further row; what was posted stays. Repeated, it changes nothing."""
    found = await get_batch(group_id, batch_id, caller)
    async with db.transaction() as tx:
        await _cancel_in(tx, found.id, BatchState.WAITING, BatchState.RUNNING, BatchState.FAILED)
    after = await get_batch(group_id, batch_id, caller)
    if after.state is not BatchState.CANCELLED:
        raise AllotBatchOver
    return after


async def take_up(group_id: str, batch_id: str, caller: StaffCaller) -> AllotBatch:
    """Let a table that was given up go on where it was. Repeated, it changes nothing."""
    found = await get_batch(group_id, batch_id, caller)
    async with db.transaction() as tx:
        if await tries.take_up(tx, "group_allot_batch", found.id, working=BatchState.RUNNING):
            await jobs.defer(tx, JOB, batch_id=found.id)
    after = await get_batch(group_id, batch_id, caller)
    if after.state not in (BatchState.RUNNING, BatchState.DONE):
        raise AllotBatchOver
    return after


async def get_batch(group_id: str, batch_id: str, caller: StaffCaller) -> AllotBatch:
    """A table of a group that this person may see; ``NotFound`` for any other."""
    await groups.get_group(group_id, caller)
    found = await queries.find_batch(batch_id)
    if found is None or found.group_id != group_id:
        raise NotFound("there is no such batch")
    return found


# -- the job


async def run(batch_id: str, *, most: int | None = None) -> None:
    """Post the rows that wait, some at a time; run again, it goes on where it was. ``most`` lists, for tests."""
    done = 0
    while most is None or done < most:
        batch = await queries.find_batch(batch_id)
        if batch is None or batch.state is not BatchState.RUNNING:
            return
        rows = await queries.list_rows(batch_id, "waiting", limit=AT_ONCE)
        if not rows:
            await _end(batch_id)
            return
        outcomes: list[tuple[int, str]] = []
        for row in rows:
            if not await _runs(batch_id):
                break  # it was cancelled a moment ago, and whoever did so was told that no further row is posted
            try:
                outcomes.append((row.row_no, await _post(batch, row)))
            except Exception as error:
                await _note(batch_id, outcomes)
                await tries.failed("group_allot_batch", batch_id, error, row=row.row_no, working=BatchState.RUNNING)
                return
        await _note(batch_id, outcomes)
        done += 1


async def _runs(batch_id: str) -> bool:
    now = await queries.find_batch(batch_id)
    return now is not None and now.state is BatchState.RUNNING


async def _post(batch: AllotBatch, row: AllotRow) -> str:
    """Post one row; the code of its refusal, empty where it was posted.

    Whoever owns the group since then did not have this table asked for: nothing is taken from them. What a job posted
    that died before it was noted is posted, whoever left or owns the group since. The owner is read for each row:
    who was merged a moment ago allots on as who they are now.
    """
    scope, said = f"group-batch/{batch.id}", f"{batch.id}:{row.row_no}:{row.person_id}:{row.kind}:{row.amount}"
    idem = Idempotency(str(row.row_no), hashlib.sha256(said.encode()).digest())
    body = AllotIn(person_id=row.person_id, kind=row.kind, amount=row.amount, note=row.note)
    try:
        if await allotting.first_answer(scope, idem) is not None:
            return ""
        group, owner = await queries.find_group(batch.group_id), await queries.find_owner(batch.group_id)
        person = await queries.find_person(batch.group_id, row.person_id)
        if group is None or owner is None or owner.id != batch.owner_id or person is None:
            return AllotmentOver.code
        await allotting.allot(group, owner, body, idem, scope=scope, staff_id=batch.staff_id)
    except (Stale, OutcomeUnknown):
        raise  # tried again by the next run
    except DomainError as refused:
        return refused.code
    return ""


async def _note(batch_id: str, outcomes: Sequence[tuple[int, str]]) -> None:
    if not outcomes:
        return
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE group_allot_row r SET state = CASE WHEN o.code = '' THEN 'posted' ELSE 'refused' END,"
            " refusal = nullif(o.code, '')"
            " FROM unnest($2::int[], $3::text[]) AS o (row_no, code)"
            " WHERE r.batch_id = $1 AND r.row_no = o.row_no AND r.state = 'waiting'",
            batch_id,
            [row_no for row_no, _ in outcomes],
            [code for _, code in outcomes],
        )
        await db.raw(tx).execute(
            f"UPDATE group_allot_batch SET updated_at = $2, {tries.FRESH} WHERE id = $1",  # noqa: S608 - a constant
            batch_id,
            clock.now(),
        )


async def _end(batch_id: str) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE group_allot_batch SET state = 'done', updated_at = $2, ended_at = $2"
            " WHERE id = $1 AND state = 'running'",
            batch_id,
            clock.now(),
        )
    log.info("groups.batch_ended", batch_id=batch_id)


async def resume() -> int:
    """Go on with tables that nobody has worked on for a minute, and end those that nobody will approve; how many."""
    waiting = await queries.list_waiting_batches()
    await tries.each(_lapse, await approval_queries.list_over(waiting))
    stuck = await queries.list_stuck(clock.now() - STUCK_AFTER)
    await tries.each(run, stuck)
    return len(stuck)


async def _lapse(batch_id: str) -> None:
    """End one that waits in vain; one that was approved meanwhile goes on."""
    async with db.transaction() as tx:
        await _cancel_in(tx, batch_id, BatchState.WAITING)


approvals.declare(
    Kind(
        code=KIND,
        title="团体批量分配",
        permission=Permission.GROUPS_MANAGE,
        body=AskedBatch,
        apply=_apply,
        reject=_reject,
    )
)
