"""Letters that are due: gift and letter of a task are given in one transaction, so both once.

Only of plans that run: what is due of one that is paused waits, a week at most, and of one that has ended is given up.
"""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

import asyncpg

from backend.coupons import queries as coupons
from backend.kernel import clock, db, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, Kind
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.messages import service as messages
from backend.messages.types import Letter

from .. import locks, queries, rules, service
from ..types import Given, Plan, PlanState, Task, TaskState
from .running import CARRY_OUT

log = logging.get(__name__)

AT_ONCE = 200
ROUNDS = 1_000
KEPT = timedelta(days=rules.BACK_DAYS)
"""How long what is due of a paused plan waits: as long as days are made up for. A greeting of last month is none."""

ENDED, TOO_LATE = "plan_ended", "too_late"

_DUE = """
SELECT t.id, t.plan_id FROM care_task t JOIN care_plan p ON p.id = t.plan_id
 WHERE t.state = 'due' AND t.id > $1 AND (p.state <> 'paused' OR t.made_at < $2) ORDER BY t.id LIMIT $3"""


async def run(within_s: float) -> None:
    """Send what is due for so long at most, and queue the rest behind other jobs."""
    until = monotonic() + within_s
    await carry_out_due(until=until)
    if monotonic() >= until:
        async with db.transaction() as tx:
            await jobs.defer(tx, CARRY_OUT, unique=CARRY_OUT)


async def carry_out_due(*, until: float | None = None) -> int:
    """Send what is due, a task at a time; returns how many were sent. What fails stays due, and is tried next time.

    ``until``: begin nothing more after that moment (``time.monotonic``).
    """
    sent, after = 0, ""
    for _ in range(ROUNDS):
        rows = await db.fetch(_DUE, after, clock.now() - KEPT, AT_ONCE)
        plans = {plan_id: await queries.find_plan(plan_id) for plan_id in {row["plan_id"] for row in rows}}
        for row in rows:
            if until is not None and monotonic() >= until:
                return sent
            plan = plans[row["plan_id"]]
            assert plan is not None
            if plan.state is PlanState.ACTIVE:
                sent += await _try(plan, row["id"])
            else:
                await _give_up(row["id"], ENDED if plan.state is PlanState.ENDED else TOO_LATE)
        if len(rows) < AT_ONCE:
            break
        after = rows[-1]["id"]
    return sent


async def _try(plan: Plan, task_id: str) -> bool:
    try:
        return await ledger.with_fresh_books(lambda tx: _carry_out(tx, plan, task_id))
    except (DomainError, KeyError, ValueError, asyncpg.PostgresError) as error:
        log.warning("care.task_not_carried_out", task_id=task_id, error=type(error).__name__)
        if isinstance(error, DomainError) and not isinstance(error, Stale) and error.kind is not Kind.UNAVAILABLE:
            await _give_up(task_id, error.code)
        return False


async def _give_up(task_id: str, code: str) -> None:
    """What is refused for good is not asked for again; the note says why."""
    async with db.transaction() as tx:
        task = await locks.lock_task(tx, task_id)
        if task.state is TaskState.DUE:
            await service.close(tx, task, TaskState.FAILED, given=None, note=code, now=clock.now())


async def _carry_out(tx: Tx, plan: Plan, task_id: str) -> bool:
    """Give the gift, write the letter and say that both is done."""
    task = await locks.lock_task(tx, task_id)
    if task.state is not TaskState.DUE or not await _runs(tx, plan.id):
        return False
    now = clock.now()
    given = await service.give(tx, task, plan.gift, now) if plan.gift is not None else None
    assert plan.template is not None
    await messages.send(tx, [await _letter(plan, task, given)])
    await service.close(tx, task, TaskState.SENT, given=given, now=now)
    return True


async def _runs(tx: Tx, plan_id: str) -> bool:
    """Whether the plan still runs: after it was paused nothing more goes, but for what is under way."""
    rows = await db.fetch_in(tx, "SELECT state = 'active' AS runs FROM care_plan WHERE id = $1", plan_id)
    return bool(rows[0]["runs"])


async def _letter(plan: Plan, task: Task, given: Given | None) -> Letter:
    template_id = plan.gift.template_id if plan.gift is not None else None
    titles = dict(await coupons.list_titles([template_id])) if template_id is not None else {}
    today = clock.local_date(clock.now(), settings().timezone).isoformat()
    values = {"amount": "", "on": today, "gift": rules.gift_words(given, titles, template_id)} | task.said
    link = "#/coupons" if given is not None and given.coupon_ids else None
    assert plan.template is not None
    return Letter(task.member_id, plan.template, values, once=f"care:{task.id}", link=link)
