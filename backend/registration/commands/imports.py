"""Members from a table: taken in, read and judged row by row, then made in chunks, each row once.

A bad row makes nothing of the table, unless bad ones are to be skipped. Whatever is cut short goes on where it was:
reading begins anew, writing with the first row that has no result; a chunk and its results are one transaction. What
a row says is sealed, and gone when the import has ended.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Approval, ApprovalState, Kind
from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, incoming, jobs, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, ValidationFailed
from backend.kernel.vault import vault
from backend.ledger.errors import IdempotencyConflict
from backend.membercards import service as membercards
from backend.members import queries as members

from .. import service
from ..errors import ImportNotReady
from ..queries import imports as queries
from ..rules import rows as rules
from ..rules.rows import Flaw, NewRow
from ..types import Import, ImportState
from . import writing

log = logging.get(__name__)

JOB = "registration.run_import"
KIND = "member_import"
READ_AT_ONCE = 1_000
MOST_SHOWN = 100
"""Flaws that a refusal names; the report has them all."""

STUCK_AFTER = timedelta(minutes=1)
KEPT_UNSTARTED = timedelta(days=7)
"""How long the rows of an import wait that nobody starts: they are personal data."""

_INSERT_FLAWS = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, * FROM unnest($2::int[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING"""
# The first row that names a phone or a card keeps it.
_PHONE_TWICE = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, row_no, 'phone', 'is in row ' || first || ' already' FROM (
    SELECT row_no, min(row_no) OVER (PARTITION BY phone_index) AS first FROM registration_import_row
     WHERE import_id = $1::text) r
 WHERE row_no > first ON CONFLICT DO NOTHING"""
_CARD_TWICE = """
INSERT INTO registration_import_flaw (import_id, row_no, field, message)
SELECT $1::text, row_no, 'card_no', 'is in row ' || first || ' already' FROM (
    SELECT row_no, min(row_no) OVER (PARTITION BY card_no) AS first FROM registration_import_row
     WHERE import_id = $1::text AND card_no IS NOT NULL) r
 WHERE row_no > first ON CONFLICT DO NOTHING"""
_DROP_BAD = """
DELETE FROM registration_import_row r WHERE r.import_id = $1 AND EXISTS (
    SELECT FROM registration_import_flaw f WHERE f.import_id = r.import_id AND f.row_no = r.row_no)"""
_READ = """
UPDATE registration_import i
   SET state = 'checked', body = NULL, total = $2, good = r.good, points = r.points, principal_fen = r.principal_fen,
       bonus_fen = r.bonus_fen, updated_at = $3,
       bad = (SELECT count(DISTINCT row_no) FROM registration_import_flaw WHERE import_id = $1)
  FROM (SELECT count(*) AS good, coalesce(sum(points), 0) AS points, coalesce(sum(principal_fen), 0) AS principal_fen,
               coalesce(sum(bonus_fen), 0) AS bonus_fen
          FROM registration_import_row WHERE import_id = $1) r
 WHERE i.id = $1
RETURNING i.id, title, kind, skip_bad, dry_run, state, total, i.good, bad, done, made, i.points, i.principal_fen,
          i.bonus_fen, staff_id, approval_id, created_at, updated_at, ended_at"""


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
    """Keep the good rows and what is wrong with the others; then go on as was asked for."""
    async with db.transaction() as tx:
        for table in ("registration_import_row", "registration_import_flaw"):
            await db.raw(tx).execute(f"DELETE FROM {table} WHERE import_id = $1", found.id)  # noqa: S608 - constants
        data = await db.raw(tx).fetchval(
            "UPDATE registration_import SET state = 'reading', updated_at = $2 WHERE id = $1 RETURNING body",
            found.id,
            clock.now(),
        )
    try:
        total = await _read_rows(found, data)
    except incoming.NotATable as error:
        total = 0
        await _keep(found.id, [], [Flaw(1, "", f"the table {error}")])
    await _read_done(found, total)


async def _read_rows(found: Import, data: bytes) -> int:
    """Judge each row for itself; returns how many there were."""
    known = rules.Known(
        levels=set(await members.levels()),
        stores={store.id for store in await auth.list_stores()},
        today=service.today(),
        most_stored_fen=settings().stored_limit_fen,
    )
    rows_of = incoming.rows_of_csv if found.kind == "csv" else incoming.rows_of_xlsx
    rows = rows_of(data, most=incoming.MOST_IMPORT_ROWS)
    heading = await asyncio.to_thread(next, rows, None)
    columns, flaws = rules.read_heading(heading or [])
    total = 0
    if flaws:
        await _keep(found.id, [], flaws)
        return 0
    numbered = enumerate(rows, 2)
    while piece := await asyncio.to_thread(list, islice(numbered, READ_AT_ONCE)):
        judged = await asyncio.to_thread(_judge, piece, columns, known)
        total += len(judged)
        await _keep(
            found.id,
            [one for one in judged if isinstance(one, NewRow)],
            [flaw for one in judged if not isinstance(one, NewRow) for flaw in one],
        )
    if not total:
        await _keep(found.id, [], [Flaw(1, "", "the table has no rows below its heading")])
    return total


def _judge(
    piece: Sequence[tuple[int, list[str]]], columns: Sequence[str], known: rules.Known
) -> list[NewRow | list[Flaw]]:
    return [rules.read_row(number, columns, cells, known) for number, cells in piece if cells]


async def _keep(import_id: str, rows: Sequence[NewRow], flaws: Sequence[Flaw]) -> None:
    """Keep rows, sealed, and flaws; whose phone a member has already, or whose card, is a flaw too."""
    indexes = [members.phone_index(row.phone) for row in rows]
    taken = await members.list_by_phone_index(indexes) if rows else {}
    closed = await membercards.adopt_obstacles([row.card_no for row in rows if row.card_no])
    told = list(flaws)
    for row, index in zip(rows, indexes, strict=True):
        if index in taken:
            told.append(Flaw(row.row, "phone", "a member has this phone already"))
        if row.card_no in closed:
            told.append(Flaw(row.row, "card_no", f"cannot be given out: {closed[row.card_no]}"))
    async with db.transaction() as tx:
        await db.raw(tx).copy_records_to_table(
            "registration_import_row",
            columns=[
                *("import_id", "row_no", "phone_index", "card_no", "points", "principal_fen", "bonus_fen", "sealed"),
            ],
            records=[
                (import_id, row.row, index, row.card_no, row.points, row.principal_fen, row.bonus_fen, _sealed(row))
                for row, index in zip(rows, indexes, strict=True)
            ],
        )
        if told:
            columns = map(list, zip(*((one.row, one.field, one.message) for one in told), strict=True))
            await db.raw(tx).execute(_INSERT_FLAWS, import_id, *columns)
        await db.raw(tx).execute("UPDATE registration_import SET updated_at = $2 WHERE id = $1", import_id, clock.now())


def _sealed(row: NewRow) -> str:
    return vault().seal(msgspec.json.encode(row), context=queries.ROW_CONTEXT)


async def _read_done(found: Import, total: int) -> None:
    """Look at what only one row may have, count, and go on as was asked for; rows in which something is wrong go."""
    by = await auth.get_caller(found.staff_id)  # who has gone meanwhile starts nothing: the import waits to be ended
    async with db.transaction() as tx:
        for sql in (_PHONE_TWICE, _CARD_TWICE):
            await db.raw(tx).execute(sql, found.id)
        await db.raw(tx).execute(_DROP_BAD, found.id)
        rows = await db.fetch_in(tx, _READ, found.id, total, clock.now())
        checked = queries.import_of(rows[0])
        if found.dry_run:
            return
        if is_wrong(checked, skip_bad=found.skip_bad):
            await writing.end(tx, found.id, ImportState.REFUSED)
        else:
            await _go(tx, checked, by)


def is_wrong(checked: Import, *, skip_bad: bool) -> bool:
    """Whether nothing is made of a table that was read."""
    return checked.good == 0 or (checked.bad > 0 and not skip_bad)


def needs_approval(checked: Import) -> bool:
    """Whether what a table opens with needs a second person."""
    fen = checked.principal_fen + checked.bonus_fen
    return fen > settings().import_alone_max_fen or checked.points > settings().points_adjust_alone_max


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
    if not needs_approval(checked):
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
    for import_id, approval_id in await queries.list_approving():
        approval = await approval_queries.get_approval(approval_id)
        if approval.state not in (ApprovalState.WAITING, ApprovalState.APPROVED):
            await cancel(import_id)
    stuck = await queries.list_stuck(clock.now() - STUCK_AFTER)
    for import_id in stuck:
        await run(import_id)
    return len(stuck)


async def forget_unstarted() -> int:
    """Cancel imports that were read a week ago and never started; returns how many."""
    rows = await db.fetch(
        "SELECT id FROM registration_import WHERE state = 'checked' AND updated_at < $1 LIMIT 200",
        clock.now() - KEPT_UNSTARTED,
    )
    for row in rows:
        await cancel(row["id"])
    return len(rows)


approvals.declare(
    Kind(code=KIND, title="导入会员", permission=Permission.MEMBERS_IMPORT, body=AskedImport, apply=_apply)
)
