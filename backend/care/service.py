"""Writes that take an open transaction: what events noted, new tasks, gifts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.coupons import service as coupons
from backend.coupons.service import Issued
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.members import service as member_service
from backend.wallet import service as wallet

from . import rules
from .types import Finding, Gift, Given, How, On, Plan, Task, TaskState

THIS_YEAR = "given_this_year"

SCOPE = "care"
"""Of the keys under which a task gives its points and its coupon."""


async def note_fact(tx: Tx, kind: str, member_id: int, ref: str, on: date) -> None:
    """Note what happened to a member on a local day, once, for whoever they are now. Holds them."""
    await db.raw(tx).execute(
        "INSERT INTO care_fact (kind, member_id, ref, on_date) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        kind,
        await member_service.hold_current(tx, member_id),
        ref[:40],
        on,
    )


_MAKE = """
INSERT INTO care_task (id, plan_id, member_id, occasion, "on", how, state, store_id, owner_id, made_at, made_on, due_on,
                       said, judge_at)
SELECT w.id, $1, w.member_id, w.occasion, $2, $3, w.state, w.store_id, $4, $5, $6, $7, w.said, $8
  FROM jsonb_to_recordset($9::text::jsonb) AS w (id text, member_id bigint, occasion text, state text, store_id text,
       said jsonb)
 ORDER BY w.member_id
    ON CONFLICT DO NOTHING RETURNING state"""


async def make_tasks(
    tx: Tx, plan: Plan, findings: Sequence[Finding], stores: dict[int, str | None], *, seed: bytes, on: date
) -> list[TaskState]:
    """Make a task for each finding that has none; the states of those that are new. Chance holds some members out."""
    now = clock.now()
    made = TaskState.DUE if plan.how is How.LETTER else TaskState.OPEN
    wanted = []
    for one in findings:
        held = rules.is_held_out(seed, one.member_id, one.occasion, plan.holdout_bp)
        wanted.append(
            {
                "id": ids.short_of("K", plan.id, one.member_id, one.occasion),
                "member_id": one.member_id,
                "occasion": one.occasion,
                "state": (TaskState.HELD_OUT if held else made).value,
                "store_id": stores.get(one.member_id),
                "said": one.said,
            }
        )
    rows = await db.fetch_in(
        tx,
        _MAKE,
        plan.id,
        plan.trigger.on.value,
        plan.how.value,
        plan.owner_id,
        now,
        on,
        None if plan.how is How.LETTER else on + timedelta(days=plan.due_days),
        now + timedelta(days=plan.window_days),
        msgspec.json.encode(wanted).decode(),
    )
    return [TaskState(row["state"]) for row in rows]


async def give(tx: Tx, task: Task, gift: Gift, now: datetime) -> Given:
    """Give a task's gift, once; a birthday's once a member and year, whichever plan it is of.

    The coupon first: its template is locked before any books. One that is not to be had is left out, and the rest is
    given. Raises ``Stale`` where the books have moved, and what is a failure of the moment.
    """
    if task.on is On.BIRTHDAY and not await _first_this_year(tx, task):
        return Given(refused=THIS_YEAR)
    coupon_ids: tuple[str, ...] = ()
    refused = None
    if gift.template_id is not None:
        outcome = await coupons.issue_one(
            tx, task.member_id, gift.template_id, source=f"care:{task.plan_id}", scope=SCOPE, key=task.id
        )
        coupons.raise_if_unavailable([outcome])
        if isinstance(outcome, Issued):
            coupon_ids = (outcome.coupon_id,)
        else:
            refused = outcome.code
    if gift.points is not None:
        await wallet.give_points(tx, task.member_id, gift.points, scope=SCOPE, key=task.id, about=task.id, now=now)
    return Given(points=gift.points or 0, coupon_ids=coupon_ids, refused=refused)


async def _first_this_year(tx: Tx, task: Task) -> bool:
    rows = await db.fetch_in(
        tx,
        "INSERT INTO care_birthday_gift (member_id, year, task_id) VALUES ($1, $2, $3)"
        " ON CONFLICT (member_id, year) DO NOTHING RETURNING 1",
        task.member_id,
        int(task.occasion),
        task.id,
    )
    return bool(rows)


async def close(
    tx: Tx,
    task: Task,
    state: TaskState,
    *,
    given: Given | None,
    staff_id: int | None = None,
    note: str = "",
    now: datetime,
) -> None:
    """Write down how a task ended."""
    await db.raw(tx).execute(
        "UPDATE care_task SET state = $2, given = $3::text::jsonb, note = $4, closed_by = $5, closed_at = $6"
        " WHERE id = $1",
        task.id,
        state.value,
        None if given is None else msgspec.json.encode(given).decode(),
        note,
        staff_id,
        now,
    )
