"""Changing many members at once: who is meant is written down when it is asked for, and a job changes them in chunks.

A chunk, what became of its members and how far the batch is are one transaction, so a job that dies goes on where it
was, and nobody is changed twice.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from time import monotonic
from typing import Any

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Approval, ApprovalState, Kind
from backend.audience import queries as audience
from backend.audience import service as audiences
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, jobs, logging, trail, tries
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import Forbidden, NotFound, invalid
from backend.kernel.http.decoding import from_msgspec
from backend.ledger.errors import IdempotencyConflict
from backend.members import bulk

from ..errors import MemberBatchOver, NobodyMeant, TooManyMeant
from ..queries import batches as reads
from ..schemas.batches import BatchIn
from ..types import BatchState, MemberBatch

log = logging.get(__name__)

JOB = "registration.run_batch"
KIND = "member_batch"
AT_ONCE = 500
"""Members in one transaction: their rows are held as long as it takes."""

RUN_S = 20.0
"""How long one job goes on before it queues the rest behind others."""

MOST_MEMBERS = 500_000
STUCK_AFTER = timedelta(minutes=1)
FIRST = 20


class AskedBatch(msgspec.Struct, frozen=True):
    """What an approval of a batch carries."""

    batch_id: str


class Wish(msgspec.Struct, frozen=True):
    """What was asked for, judged: the change with its body, and who is meant as the caller may mean it."""

    change: bulk.BulkChange
    body: Any
    meant: Any


async def judge(body: BatchIn, caller: StaffCaller) -> Wish:
    """What is asked for, if this person may ask for it; ``ValidationFailed`` names what is wrong with it."""
    change = bulk.find(body.kind)
    if change is None:
        raise invalid("/kind", "there is no such change")
    if not caller.may(change.permission):
        raise Forbidden
    try:
        wanted = msgspec.convert(body.change, change.body)
    except msgspec.ValidationError as error:
        raise from_msgspec(error, "/change") from None
    await change.check(wanted, caller)
    return Wish(change, wanted, await audiences.check(body.audience, caller.store_id, any_status=True))


async def preview(body: BatchIn, caller: StaffCaller) -> tuple[int, list[int]]:
    """How many members are meant now, and the first of them; nothing is written."""
    wish = await judge(body, caller)
    return await audience.count(wish.meant), await audience.list_members(wish.meant, after=0, limit=FIRST)


def needs_approval(members: int) -> bool:
    """Whether so many members are more than one person may change alone."""
    return members > settings().member_batch_alone_max


async def begin(body: BatchIn, caller: StaffCaller, key: str) -> str:
    """Write down who is meant and have them changed, once per person and key; or have a second person decide first.

    The id of the batch. ``NobodyMeant``; ``TooManyMeant``; ``IdempotencyConflict`` where the key was used for another.
    """
    unique, digest = f"{caller.staff_id}/{key}", hashlib.sha256(msgspec.json.encode(body)).digest()
    if (known := await reads.find_batch_of(unique)) is not None:
        return _same(known, digest)
    wish = await judge(body, caller)
    member_ids = await _meant(wish.meant)
    batch_id, waits = ids.short_of("MB", caller.staff_id, key), needs_approval(len(member_ids))
    async with db.transaction() as tx:
        if await _write(tx, (batch_id, unique, digest), body, wish, member_ids, caller, waits=waits):
            await _start(tx, batch_id, body, wish, len(member_ids), caller, key, waits=waits)
            trail.named(batch_id)
            trail.said(kind=body.kind, members=len(member_ids))
    found = await reads.find_batch_of(unique)
    assert found is not None
    log.info("registration.batch_begun", batch_id=batch_id, kind=body.kind, members=len(member_ids))
    return _same(found, digest)


def _same(known: tuple[str, bytes], digest: bytes) -> str:
    if known[1] != digest:
        raise IdempotencyConflict
    return known[0]


async def _meant(meant: Any) -> list[int]:
    """Everybody who is meant, by id."""
    found: list[int] = []
    while page := await audience.list_members(
        meant, after=found[-1] if found else 0, limit=audience.MOST_AT_ONCE, joined_until=clock.now()
    ):
        found += page
        if len(found) > MOST_MEMBERS:
            raise TooManyMeant(f"more than {MOST_MEMBERS} members are meant")
    if not found:
        raise NobodyMeant
    return found


async def _write(
    tx: Tx,
    named: tuple[str, str, bytes],
    body: BatchIn,
    wish: Wish,
    member_ids: list[int],
    caller: StaffCaller,
    *,
    waits: bool,
) -> bool:
    made = await db.fetch_in(
        tx,
        "INSERT INTO registration_batch (id, key, digest, kind, reason, change, audience, state, meant, staff_id,"
        " store_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        *named,
        body.kind,
        body.reason,
        msgspec.json.encode(wish.body).decode(),
        msgspec.json.encode(wish.meant).decode(),
        (BatchState.WAITING if waits else BatchState.RUNNING).value,
        len(member_ids),
        caller.staff_id,
        caller.store_id,
        clock.now(),
    )
    if made:
        await db.raw(tx).copy_records_to_table(
            "registration_batch_row",
            columns=["batch_id", "member_id"],
            records=((named[0], member_id) for member_id in member_ids),
        )
    return bool(made)


async def _start(
    tx: Tx, batch_id: str, body: BatchIn, wish: Wish, members: int, caller: StaffCaller, key: str, *, waits: bool
) -> None:
    if not waits:
        await jobs.defer(tx, JOB, batch_id=batch_id)
        return
    approval = await approvals.request(
        tx,
        KIND,
        AskedBatch(batch_id),
        caller=caller,
        reason=body.reason,
        store_id=caller.store_id,
        summary=f"{wish.change.named(wish.body)}：{members:,} 名会员",
        key=f"{KIND}/{key}",
    )
    await db.raw(tx).execute("UPDATE registration_batch SET approval_id = $2 WHERE id = $1", batch_id, approval.id)


async def _apply(tx: Tx, body: AskedBatch, approval: Approval) -> None:
    """Let an approved batch run; one that was cancelled meanwhile is over."""
    started = await db.fetch_in(
        tx,
        "UPDATE registration_batch SET state = 'running', updated_at = $2 WHERE id = $1 AND state = 'waiting'"
        " RETURNING 1",
        body.batch_id,
        clock.now(),
    )
    if not started:
        raise MemberBatchOver
    await jobs.defer(tx, JOB, batch_id=body.batch_id)


async def get_batch(batch_id: str, caller: StaffCaller) -> MemberBatch:
    """A batch that this person may see; ``NotFound`` for any other."""
    found = await reads.find_batch(batch_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such batch")
    return found


async def cancel(batch_id: str, caller: StaffCaller) -> None:
    """Change nobody else; who was changed stays so. Repeated, it changes nothing; ``MemberBatchOver`` where it is done.

    Waits for the chunk that is being worked on.
    """
    found = await get_batch(batch_id, caller)
    async with db.transaction() as tx:
        await _cancel(tx, found.id, BatchState.WAITING, BatchState.RUNNING, BatchState.FAILED)
    if (await get_batch(batch_id, caller)).state is not BatchState.CANCELLED:
        raise MemberBatchOver


async def _cancel(tx: Tx, batch_id: str, *states: BatchState) -> None:
    await db.raw(tx).execute(
        "UPDATE registration_batch SET state = 'cancelled', updated_at = $2, ended_at = $2"
        " WHERE id = $1 AND state = ANY($3::text[])",
        batch_id,
        clock.now(),
        [state.value for state in states],
    )


async def take_up(batch_id: str, caller: StaffCaller) -> None:
    """Let a batch that was given up go on where it was. Repeated, it changes nothing."""
    found = await get_batch(batch_id, caller)
    async with db.transaction() as tx:
        if await tries.take_up(tx, "registration_batch", found.id, working=BatchState.RUNNING):
            await jobs.defer(tx, JOB, batch_id=found.id)
    if (await get_batch(batch_id, caller)).state not in (BatchState.RUNNING, BatchState.DONE):
        raise MemberBatchOver


async def run(batch_id: str, *, seconds: float = RUN_S, most: int | None = None) -> bool:
    """Change the members that wait, chunk by chunk, for so long; whether some are left. ``most`` chunks, for tests."""
    until, done = monotonic() + seconds, 0
    while monotonic() < until and (most is None or done < most):
        if not await _try_step(batch_id):
            return False
        done += 1
    async with db.transaction() as tx:
        await jobs.defer(tx, JOB, batch_id=batch_id)
    return True


async def _try_step(batch_id: str) -> bool:
    """The next chunk of a batch; where it raises, member by member up to the one who does. False: no further now."""
    try:
        return await _step(batch_id, AT_ONCE)
    except Exception:
        log.warning("registration.chunk_failed", batch_id=batch_id)
    for _ in range(AT_ONCE):
        try:
            if not await _step(batch_id, 1):
                return False
        except Exception as error:
            row = await reads.find_next_member(batch_id)
            await tries.failed("registration_batch", batch_id, error, row=row, working=BatchState.RUNNING)
            return False
    return True


async def _step(batch_id: str, at_once: int) -> bool:
    """The next chunk of a batch; False where there is none."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{reads.BATCH} WHERE id = $1 FOR UPDATE", batch_id)
        batch = reads.batch_of(rows[0]) if rows else None
        if batch is None or batch.state is not BatchState.RUNNING:
            return False
        waiting = await db.fetch_in(
            tx,
            "SELECT member_id FROM registration_batch_row WHERE batch_id = $1 AND result IS NULL"
            " ORDER BY member_id LIMIT $2",
            batch_id,
            at_once,
        )
        if waiting:
            await _change(tx, batch, [row["member_id"] for row in waiting])
        if len(waiting) < at_once:
            await _end(tx, batch)
    return len(waiting) == at_once


async def _change(tx: Tx, batch: MemberBatch, member_ids: list[int]) -> None:
    change = bulk.find(batch.kind)
    if change is None:  # of a release that knew it
        raise RuntimeError(f"{batch.kind}: no domain of this release changes that")
    body = msgspec.json.decode(batch.change, type=change.body)
    by = bulk.BulkBy(staff_id=batch.staff_id, batch_id=batch.id, reason=batch.reason)
    left = await change.apply(tx, member_ids, body, by)
    results = [left.get(member_id, "changed") for member_id in member_ids]
    await db.raw(tx).execute(
        "UPDATE registration_batch_row r SET result = w.result"
        " FROM unnest($2::bigint[], $3::text[]) AS w (member_id, result)"
        " WHERE r.batch_id = $1 AND r.member_id = w.member_id",
        batch.id,
        member_ids,
        results,
    )
    await db.raw(tx).execute(
        f"UPDATE registration_batch SET done = done + $2, changed = changed + $3, updated_at = $4, {tries.FRESH}"  # noqa: S608 - constant
        " WHERE id = $1",
        batch.id,
        len(member_ids),
        results.count("changed"),
        clock.now(),
    )


async def _end(tx: Tx, batch: MemberBatch) -> None:
    await db.raw(tx).execute(
        "UPDATE registration_batch SET state = 'done', updated_at = $2, ended_at = $2 WHERE id = $1",
        batch.id,
        clock.now(),
    )
    log.info("registration.batch_ended", batch_id=batch.id, members=batch.meant)


async def resume() -> int:
    """Go on with batches that nobody has worked on for a minute, and end those that nobody will approve; how many."""
    waiting = await reads.list_waiting()
    states = await approval_queries.list_states(list(waiting.values()))
    await tries.each(
        _lapse,
        [
            batch_id
            for batch_id, approval_id in waiting.items()
            if states.get(approval_id) not in (None, ApprovalState.WAITING, ApprovalState.APPROVED)
        ],
    )
    stuck = await reads.list_stuck(clock.now() - STUCK_AFTER)
    await tries.each(run, stuck)
    return len(stuck)


async def _lapse(batch_id: str) -> None:
    """End one that waits in vain; one that was approved meanwhile goes on."""
    async with db.transaction() as tx:
        await _cancel(tx, batch_id, BatchState.WAITING)


approvals.declare(
    Kind(code=KIND, title="批量变更会员", permission=Permission.MEMBERS_BATCH, body=AskedBatch, apply=_apply)
)
