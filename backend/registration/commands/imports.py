"""Members from a table: taken in, read and judged row by row, then made in chunks, each row once.

A bad row makes nothing of the table, unless bad ones are to be skipped. Whatever is cut short goes on where it was:
reading begins anew, writing with the first row that has no result; a chunk and its results are one transaction. What
a row says is sealed, and gone when the import has ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Alone, Approval, ApprovalState, Kind
from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, jobs, logging, trail, tries
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed
from backend.ledger.errors import IdempotencyConflict

from ..errors import ImportNotReady
from ..queries import imports as queries
from ..types import Import, ImportState
from . import reading, writing

log = logging.get(__name__)

JOB = "registration.run_import"
KIND = "member_import"
MOST_SHOWN = 100
"""Flaws that a refusal names; the report has them all."""

STUCK_AFTER = timedelta(minutes=1)
KEPT_UNSTARTED = timedelta(days=7)
"""How long the rows of an import wait that nobody starts or resumes: they are personal data."""


class AskedImport(msgspec.Struct, frozen=True):
    """What an approval of an import carries."""

    import_id: str


async def begin(
    data: bytes, kind: str, title: str, *, skip_bad: bool, dry_run: bool, caller: StaffCaller, key: str
) -> str:
    """Take a table in, once per person and key; a job reads it, and makes members unless it is a dry run. Its id."""
    unique = f"{caller.staff_id}/{key}"
    digest = hashlib.sha256(f"{kind} {title} {skip_bad} {dry_run} ".encode() + data).digest()
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO registration_import (id, key, digest, title, kind, skip_bad, dry_run, state, body, staff_id,"
            " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10, $10)"
            " ON CONFLICT DO NOTHING RETURNING id",
            ids.short_of("MI", caller.staff_id, key),
            unique,
            digest,
            title,
            kind,
            skip_bad,
            dry_run,
            data,
            caller.staff_id,
            clock.now(),
        )
        if made:
            await jobs.defer(tx, JOB, import_id=made[0]["id"])
            trail.named(made[0]["id"])
    known = await queries.find_import_of(unique)
    assert known is not None
    if known[1] != digest:
        raise IdempotencyConflict
    return known[0]


async def run(import_id: str, *, most: int | None = None) -> None:
    """Read and write what was sent; run again, it goes on where it was. ``most`` chunks, for tests."""
    found = await queries.get_import(import_id)
    if found.state in (ImportState.WAITING, ImportState.READING):
        await _read(found)
        found = await queries.get_import(import_id)
    if found.state is ImportState.WRITING:
        await writing.write(import_id, most=most)


# -- reading


async def _read(found: Import) -> None:
    """Read a table, then go on as was asked for; rows in which something is wrong go.

    Of whom may start no import any more it waits for somebody else to start it, as after a dry run.
    """
    try:
        being_read, total = await reading.read(found)
        by = await _who_asked(found)
        async with db.transaction() as tx:
            checked = await reading.finish(tx, being_read, total)
            if is_wrong(checked, skip_bad=found.skip_bad):
                if not found.dry_run:
                    await writing.end(tx, found.id, ImportState.REFUSED)
            elif by is not None and not found.dry_run:
                await _go(tx, checked, by)
    except reading.TurnLost:
        log.info("registration.reading_dropped", import_id=found.id)


async def _who_asked(found: Import) -> StaffCaller | None:
    try:
        by = await auth.get_caller(found.staff_id)
    except NotFound:
        return None
    return by if by.may(Permission.MEMBERS_IMPORT) else None


def is_wrong(checked: Import, *, skip_bad: bool) -> bool:
    """Whether nothing is made of a table that was read."""
    return checked.good == 0 or (checked.bad > 0 and not skip_bad)


def alone(checked: Import) -> list[Alone]:
    """What a table opens with, as what one person decides alone on a day."""
    chain = settings()
    return [
        Alone("imported", checked.principal_fen + checked.bonus_fen, chain.import_alone_max_fen),
        Alone("points", checked.points, chain.points_adjust_alone_max),
    ]


def needs_approval(one: Import, counted: Mapping[str, int]) -> bool:
    """Whether a second person decides it, where ``counted`` was decided alone today by who would start it."""
    if one.state is not ImportState.CHECKED:
        return one.approval_id is not None
    return not approval_queries.is_within(alone(one), counted)


# -- going on


async def start(import_id: str, *, skip_bad: bool, caller: StaffCaller) -> None:
    """Make members of a table that was read, or ask a second person; ``ValidationFailed`` names what is wrong.

    ``ImportNotReady`` where it was not read yet, or was started before.
    """
    found = await queries.get_import(import_id)
    if found.state is not ImportState.CHECKED:
        raise ImportNotReady(f"the import is {found.state.value}")
    if is_wrong(found, skip_bad=skip_bad):
        raise await refusal(import_id, found)
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{queries.IMPORT} WHERE id = $1 FOR UPDATE", import_id)
        checked = queries.import_of(rows[0])
        if checked.state is not ImportState.CHECKED:
            raise ImportNotReady(f"the import is {checked.state.value}")
        await db.raw(tx).execute("UPDATE registration_import SET skip_bad = $2 WHERE id = $1", import_id, skip_bad)
        await _go(tx, checked, caller)


async def refusal(import_id: str, found: Import) -> ValidationFailed:
    """What is wrong with a table's rows, the first hundred of it."""
    flaws = await queries.list_flaws(import_id, limit=MOST_SHOWN)
    return ValidationFailed(
        f"{found.bad} rows are bad",
        errors=tuple(FieldError(f"/rows/{flaw.row}/{flaw.field}", flaw.message) for flaw in flaws),
    )


async def _go(tx: Tx, checked: Import, by: StaffCaller) -> None:
    """Write, or wait for a second person."""
    if await approvals.count_alone(tx, by.staff_id, alone(checked)):
        await _write(tx, checked.id)
        return
    approval = await approvals.request(
        tx,
        KIND,
        AskedImport(checked.id),
        caller=by,
        reason=checked.title,
        store_id=None,
        summary=(
            f"导入会员 {checked.good:,} 名：储值 ¥{(checked.principal_fen + checked.bonus_fen) / 100:,.2f}，"
            f"积分 {checked.points:,}"
        ),
        key=f"{KIND}/{checked.id}",
    )
    await db.raw(tx).execute(
        "UPDATE registration_import SET state = 'approving', approval_id = $2, updated_at = $3 WHERE id = $1",
        checked.id,
        approval.id,
        clock.now(),
    )


async def _write(tx: Tx, import_id: str) -> None:
    await db.raw(tx).execute(
        "UPDATE registration_import SET state = 'writing', updated_at = $2 WHERE id = $1", import_id, clock.now()
    )
    await jobs.defer(tx, JOB, import_id=import_id)


async def _apply(tx: Tx, body: AskedImport, _approval: Approval) -> None:
    """Let an approved import be written; one that was cancelled meanwhile is over."""
    rows = await db.fetch_in(tx, f"{queries.IMPORT} WHERE id = $1 FOR UPDATE", body.import_id)
    if not rows or rows[0]["state"] != ImportState.APPROVING:
        raise ImportNotReady
    await _write(tx, body.import_id)


async def cancel(import_id: str) -> None:
    """Make no further member; who was made stays. Repeated, it changes nothing; ``ImportNotReady`` where it ended."""
    await queries.get_import(import_id)
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{queries.IMPORT} WHERE id = $1 FOR UPDATE", import_id)
        state = ImportState(rows[0]["state"])
        if state is ImportState.CANCELLED:
            return
        if state in (ImportState.DONE, ImportState.REFUSED):
            raise ImportNotReady(f"the import is {state.value}")
        await writing.end(tx, import_id, ImportState.CANCELLED)


async def resume() -> int:
    """Go on with imports that nobody has worked on for a minute, and end those that nobody approved; how many."""
    waiting = await queries.list_approving()
    states = await approval_queries.list_states(list(waiting.values()))
    await tries.each(
        _lapse,
        [
            import_id
            for import_id, approval_id in waiting.items()
            if states.get(approval_id) not in (None, ApprovalState.WAITING, ApprovalState.APPROVED)
        ],
    )
    stuck = await queries.list_stuck(clock.now() - STUCK_AFTER)
    await tries.each(run, stuck)
    return len(stuck)


async def _lapse(import_id: str) -> None:
    """End one that waits in vain; one that was approved meanwhile goes on."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{queries.IMPORT} WHERE id = $1 FOR UPDATE", import_id)
        if rows and rows[0]["state"] == ImportState.APPROVING:
            await writing.end(tx, import_id, ImportState.CANCELLED)


async def forget_unstarted() -> int:
    """Cancel imports that were read a week ago and never started, or given up and not resumed; returns how many."""
    rows = await db.fetch(
        "SELECT id FROM registration_import WHERE state IN ('checked', 'failed') AND updated_at < $1 LIMIT 200",
        clock.now() - KEPT_UNSTARTED,
    )
    await tries.each(cancel, [row["id"] for row in rows])
    return len(rows)


async def take_up(import_id: str) -> None:
    """Let an import that was given up go on where it was. Repeated, it changes nothing."""
    await queries.get_import(import_id)
    async with db.transaction() as tx:
        if await tries.take_up(tx, "registration_import", import_id, working=ImportState.WRITING):
            await jobs.defer(tx, JOB, import_id=import_id)
    if (state := (await queries.get_import(import_id)).state) not in (ImportState.WRITING, ImportState.DONE):
        raise ImportNotReady(f"the import is {state.value}")


approvals.declare(
    Kind(code=KIND, title="导入会员", permission=Permission.MEMBERS_IMPORT, body=AskedImport, apply=_apply)
)
