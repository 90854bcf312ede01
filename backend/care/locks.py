"""Row locks of plans and tasks."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries.plans import PLAN, plan_of
from .queries.tasks import TASK, task_of
from .types import Plan, Task


async def lock_plan(tx: Tx, plan_id: str) -> Plan:
    """A plan, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{PLAN} WHERE id = $1 FOR UPDATE", plan_id)
    if not rows:
        raise NotFound("there is no such plan")
    return plan_of(rows[0])


async def lock_task(tx: Tx, task_id: str) -> Task:
    """A task, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{TASK} WHERE id = $1 FOR UPDATE", task_id)
    if not rows:
        raise NotFound("there is no such task")
    return task_of(rows[0])
