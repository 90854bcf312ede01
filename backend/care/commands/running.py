"""The days of plans: whom the trigger finds gets a task, once; a run that was cut short goes on where it was."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from backend.kernel import clock, db, jobs, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.members import queries as members

from .. import locks, queries, rules, service
from ..types import How, Plan, PlanState, TaskState

log = logging.get(__name__)

AT_ONCE = 200
ROUNDS = 20_000
CARRY_OUT = "care.carry_out"


async def run_due(now: datetime) -> int:
    """Run every active plan for each local day that is due; returns how many tasks were made."""
    local = now.astimezone(clock.zone(settings().timezone))
    made = 0
    for plan in await queries.list_running():
        try:
            for on in rules.days_to_run(plan.done_on, local.date(), hour_come=local.hour >= plan.hour):
                made += await run_day(plan, on)
        except (DomainError, asyncpg.PostgresError) as error:  # the next hour goes on with it
            log.warning("care.plan_not_run", plan_id=plan.id, error=type(error).__name__)
    return made


async def run_day(plan: Plan, on: date) -> int:
    """Run a plan for a day from where it was left, and note that it is done."""
    made = 0
    if (plan.starts_on is None or plan.starts_on <= on) and (plan.ends_on is None or on <= plan.ends_on):
        seed = await queries.find_seed(plan.id)
        after: int | None = await _begin(plan, on)
        for _ in range(ROUNDS):
            if after is None:
                break
            made_now, after = await _run_on(plan, on, after, seed)
            made += made_now
        else:
            raise DomainError("the day has too many members")
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE care_plan SET done_on = greatest(done_on, $2) WHERE id = $1 AND state = 'active'", plan.id, on
        )
    return made


async def _begin(plan: Plan, on: date) -> int | None:
    """Where the plan's day goes on: 0 at its beginning, None where it is done."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "INSERT INTO care_run (plan_id, on_date, begun_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (plan_id, on_date) DO UPDATE SET plan_id = EXCLUDED.plan_id RETURNING after, done_at",
            plan.id,
            on,
            clock.now(),
        )
    return None if rows[0]["done_at"] is not None else int(rows[0]["after"])


async def _run_on(plan: Plan, on: date, after: int, seed: bytes) -> tuple[int, int | None]:
    """Make the tasks of the next members, with where the run is now: both or neither."""
    findings, more = await queries.list_findings(plan, on, after=after, limit=AT_ONCE)
    listed = await members.list_masked(one.member_id for one in findings)
    stores = {id_: one.store_id for id_, one in listed.items()}
    async with db.transaction() as tx:
        if (await locks.lock_plan(tx, plan.id)).state is not PlanState.ACTIVE:
            return 0, None
        states = await service.make_tasks(tx, plan, findings, stores, seed=seed, on=on)
        held = sum(state is TaskState.HELD_OUT for state in states)
        await db.raw(tx).execute(
            "UPDATE care_run SET after = greatest(after, $3), made = made + $4, held = held + $5, done_at = $6"
            " WHERE plan_id = $1 AND on_date = $2",
            plan.id,
            on,
            more or after,
            len(states) - held,
            held,
            clock.now() if more is None else None,
        )
        if plan.how is How.LETTER and len(states) > held:
            await jobs.defer(tx, CARRY_OUT, unique=CARRY_OUT)
    return len(states) - held, more
