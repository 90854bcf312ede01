"""Runs: begun, cancelled, closed by finance, paid. What they do step by step is in ``building`` and ``paying``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from time import monotonic

import asyncpg
import msgspec

from backend.approvals import service as approvals
from backend.approvals.types import Approval, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.money import yuan

from ..errors import RebatePeriodDone, RebatePeriodOpen, RebateRunConflict, RebateRunOpen
from ..queries import runs as queries
from ..queries import schemes
from ..rules import periods
from ..types import Applied, Period, PeriodKind, Run, RunKind, RunState
from . import building, paying
from .schemes import get_scheme, today

log = logging.get(__name__)

JOB = "rebates.go_on"
KIND = "rebate_close"
RUN_S = 20.0
"""How long one job goes on before it queues the rest behind others."""

MOST_LOOKS = 5
"""Simulations at once."""

_EVERYBODY = "SELECT count(*) FROM member WHERE status NOT IN ('none', 'erased')"


class AskedClose(msgspec.Struct, frozen=True):
    """What an approval of closing a run carries."""

    run_id: str
    payout_fen: int


async def get_run(run_id: str) -> Run:
    """A run; ``NotFound`` for none."""
    found = await queries.find_run(run_id)
    if found is None:
        raise NotFound("there is no such run")
    return found


async def start(kind: PeriodKind, first_on: date, caller: StaffCaller) -> Run:
    """Begin the statements of a period that is over; a job makes them."""
    period = _period(kind, first_on)
    if period.last >= today():
        raise RebatePeriodOpen("the period is not over")
    earlier = periods.before(period)
    if await schemes.list_applied(earlier) and await queries.find_of_period(kind, earlier.first) is None:
        raise RebatePeriodOpen(f"{periods.title(earlier)} has no statements yet; close it first")
    try:
        async with db.transaction() as tx:
            run_id = await begin(tx, RunKind.STATEMENTS, period, await schemes.list_applied(period), caller.staff_id)
            await schemes.changes.note(tx, run_id, caller.staff_id, "start", {}, clock.now())
    except asyncpg.UniqueViolationError as error:
        once = error.constraint_name == "rebate_run_once"
        raise (RebatePeriodDone if once else RebateRunOpen) from error
    return await get_run(run_id)


async def simulate(scheme_id: str, first_on: date | None, caller: StaffCaller) -> Run:
    """Begin to count what a scheme's latest terms would have cost in a period, alone and from its first day on."""
    scheme = await get_scheme(scheme_id)
    last = periods.before(periods.period_of(scheme.period, today()))
    period = last if first_on is None else _period(scheme.period, first_on)
    if period.first > today():
        raise invalid("/first_on", "lies in the future")
    async with db.transaction() as tx:
        await db.raw(tx).execute("SELECT FROM rebate_scheme WHERE id = $1 FOR UPDATE", scheme_id)
        busy = await db.fetch_in(
            tx, "SELECT count(*) AS busy FROM rebate_run WHERE kind = 'simulation' AND state = 'building'"
        )
        if busy[0]["busy"] >= MOST_LOOKS:
            raise RebateRunConflict(f"{MOST_LOOKS} simulations are at work; wait or cancel one")
        applied = [schemes.whole(scheme, period)]
        run_id = await begin(tx, RunKind.SIMULATION, period, applied, caller.staff_id, scheme_id)
    return await get_run(run_id)


def _period(kind: PeriodKind, first_on: date) -> Period:
    if not clock.is_told(first_on):
        raise invalid("/first_on", "is out of range")
    period = periods.period_of(kind, first_on)
    if period.first != first_on:
        raise invalid("/first_on", f"is not the first day of a {kind.value}")
    return period


async def begin(
    tx: Tx,
    kind: RunKind,
    period: Period,
    applied: Sequence[Applied],
    staff_id: int | None,
    scheme_id: str | None = None,
) -> str:
    """Write a run down, with the schemes as they are now; a job goes on with it. Its id."""
    run_id = ids.new_short("RR")
    (row,) = await db.fetch_in(tx, _EVERYBODY)
    await db.raw(tx).execute(
        "INSERT INTO rebate_run (id, kind, period, first_on, last_on, state, scheme_id, schemes, total, staff_id,"
        " created_at) VALUES ($1, $2, $3, $4, $5, 'building', $6, $7, $8, $9, $10)",
        run_id,
        kind.value,
        period.kind.value,
        period.first,
        period.last,
        scheme_id,
        msgspec.json.encode(applied).decode(),
        row["count"],
        staff_id,
        clock.now(),
    )
    await jobs.defer(tx, JOB, unique=JOB)
    return run_id


async def cancel(run_id: str, caller: StaffCaller) -> Run:
    """End a run: a draft and all it says are gone; one that is being paid stops, and what was paid stays paid."""
    async with db.transaction() as tx:
        run = await _locked(tx, run_id)
        if run.state is RunState.PAYING:
            await _move(tx, run_id, RunState.CLOSED)
        elif run.state in (RunState.BUILDING, RunState.DRAFT):
            await building.forget(tx, run_id)
            await _move(tx, run_id, RunState.CANCELLED, ended=True)
        else:
            raise RebateRunConflict(f"the run is {run.state.value}")
        await schemes.changes.note(tx, run_id, caller.staff_id, "cancel", {"state": run.state.value}, clock.now())
    return await get_run(run_id)


async def close(run_id: str, reason: str, caller: StaffCaller, key: str) -> Run:
    """Close a draft for good; where it pays more than one person may decide, a second one is asked instead.

    The answer is the run as it stands: closed, or a draft whose ``approval_id`` waits.
    """
    async with db.transaction() as tx:
        run = await _locked(tx, run_id, RunState.DRAFT)
        if run.payout_fen > settings().rebate_close_alone_max_fen:
            asked = await approvals.request(
                tx,
                KIND,
                AskedClose(run_id, run.payout_fen),
                caller=caller,
                reason=reason,
                store_id=None,
                summary=f"{periods.title(run.period)}返利 {run.statements:,} 份对账单，发放 ¥{yuan(run.payout_fen)}",
                key=key,
            )
            await db.raw(tx).execute("UPDATE rebate_run SET approval_id = $2 WHERE id = $1", run_id, asked.id)
        else:
            await _close(tx, run_id, caller.staff_id)
            await schemes.changes.note(tx, run_id, caller.staff_id, "close", {}, clock.now())
    return await get_run(run_id)


async def _apply(tx: Tx, body: AskedClose, approval: Approval) -> None:
    """Close an approved run, if it is still the draft that was asked about."""
    run = await _locked(tx, body.run_id, RunState.DRAFT)
    if run.payout_fen != body.payout_fen or approval.decided_by is None:
        raise RebateRunConflict("the run is another one now")
    await _close(tx, body.run_id, approval.decided_by)


async def _close(tx: Tx, run_id: str, staff_id: int) -> None:
    await db.raw(tx).execute("UPDATE rebate_run SET state = 'closed', closed_by = $2 WHERE id = $1", run_id, staff_id)
    log.info("rebates.run_closed", run_id=run_id, staff_id=staff_id)


async def pay(run_id: str, caller: StaffCaller) -> Run:
    """Begin to pay a closed run, go on with one that was stopped, or try again what the books refused."""
    async with db.transaction() as tx:
        run = await _locked(tx, run_id, RunState.CLOSED, RunState.PAYING, RunState.PAID)
        if run.state is RunState.PAID and not run.refused:
            raise RebateRunConflict("all of it is paid")
        if run.state is not RunState.PAYING:
            await db.raw(tx).execute(
                "UPDATE rebate_statement SET refusal = NULL WHERE run_id = $1 AND refusal IS NOT NULL", run_id
            )
            await db.raw(tx).execute(
                "UPDATE rebate_run SET state = 'paying', refused = 0, ended_at = NULL WHERE id = $1", run_id
            )
            await schemes.changes.note(tx, run_id, caller.staff_id, "pay", {"paid": run.paid}, clock.now())
        await jobs.defer(tx, JOB, unique=JOB)
    return await get_run(run_id)


async def _locked(tx: Tx, run_id: str, *states: RunState) -> Run:
    rows = await db.fetch_in(tx, f"{queries.RUN} WHERE id = $1 FOR UPDATE", run_id)
    if not rows:
        raise NotFound("there is no such run")
    run = queries.run_of(rows[0])
    if states and (run.state not in states or run.kind is not RunKind.STATEMENTS):
        raise RebateRunConflict(f"the run is {run.state.value}")
    return run


async def _move(tx: Tx, run_id: str, state: RunState, *, ended: bool = False) -> None:
    await db.raw(tx).execute(
        "UPDATE rebate_run SET state = $2, ended_at = CASE WHEN $3 THEN $4::timestamptz END WHERE id = $1",
        run_id,
        state.value,
        ended,
        clock.now(),
    )


_OLD = "kind = 'estimate' AND period = $1 AND state <> 'building'"
_FORGET_ESTIMATE = (
    f"DELETE FROM rebate_figure WHERE run_id IN (SELECT id FROM rebate_run WHERE {_OLD})",  # noqa: S608
    f"DELETE FROM rebate_run WHERE {_OLD}",  # noqa: S608
)


async def estimate() -> int:
    """Begin to count what the current periods have come to so far, for reports; once a day each, how many."""
    begun = 0
    for kind in PeriodKind:
        period = periods.period_of(kind, today())
        applied = await schemes.list_applied(period)
        if not applied:
            continue
        async with db.transaction() as tx:
            for sql in _FORGET_ESTIMATE:
                await db.raw(tx).execute(sql, kind.value)
            if not await db.fetch_in(tx, "SELECT FROM rebate_run WHERE kind = 'estimate' AND period = $1", kind.value):
                await begin(tx, RunKind.ESTIMATE, period, applied, None)
                begun += 1
    return begun


async def go_on(seconds: float = RUN_S) -> bool:
    """Go on with the runs, the oldest first, for so long; whether something is left."""
    until = monotonic() + seconds
    while monotonic() < until:
        try:
            if not await _step():
                return False
        except asyncpg.DeadlockDetectedError:  # with purchases of the same members, in another order: again
            log.info("rebates.step_again")
    async with db.transaction() as tx:
        await jobs.defer(tx, JOB, unique=JOB)
    return True


async def _step() -> bool:
    """The next members of the oldest run that is at work; False where there is none."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            f"{queries.RUN} WHERE state IN ('building', 'paying') ORDER BY created_at, id LIMIT 1 FOR UPDATE",
        )
        if not rows:
            return False
        run = queries.run_of(rows[0])
        await (paying if run.state is RunState.PAYING else building).step(tx, run)
    return True


approvals.declare(Kind(code=KIND, title="返利结算", permission=Permission.REBATES_WORK, body=AskedClose, apply=_apply))
