"""Reads of plans and of how far their days are."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.paging import Place

from ..types import Gift, How, Plan, PlanState, Trigger

PLAN = (
    "SELECT id, title, note, state, audience, trigger, how, template, gift, owner_id, hour, due_days, holdout_bp,"
    " window_days, starts_on, ends_on, version, created_at, updated_at, done_on FROM care_plan"
)
MOST_RUNNING = 100
LAST_RUNS = 60

_audience = msgspec.json.Decoder(Audience).decode
_trigger = msgspec.json.Decoder(Trigger).decode
_gift = msgspec.json.Decoder(Gift).decode

changes = Changes("care_change", "subject_id")
"""What staff did to a plan or a task."""


def plan_of(row: db.Record) -> Plan:
    """A row of ``PLAN``."""
    return Plan(
        **dict(row)
        | {
            "state": PlanState(row["state"]),
            "audience": _audience(row["audience"]),
            "trigger": _trigger(row["trigger"]),
            "how": How(row["how"]),
            "gift": None if row["gift"] in (None, "null") else _gift(row["gift"]),
        }
    )


async def find_plan(plan_id: str) -> Plan | None:
    """A plan as it stands, or None."""
    row = await db.fetchrow(f"{PLAN} WHERE id = $1", plan_id)
    return plan_of(row) if row else None


async def find_seed(plan_id: str) -> bytes:
    """What chance draws under for a plan; it is told to nobody."""
    seed: bytes = await db.fetchval("SELECT seed FROM care_plan WHERE id = $1", plan_id)
    return seed


async def list_plans(state: PlanState | None, *, after: Place | None, limit: int) -> list[Plan]:
    """Plans of that state (or of any), newest first."""
    rows = await db.fetch(
        f"{PLAN} WHERE ($1::text IS NULL OR state = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        state.value if state else None,
        *(after or (None, None)),
        limit,
    )
    return [plan_of(row) for row in rows]


async def list_running() -> list[Plan]:
    """Every plan that is active, by id."""
    rows = await db.fetch(f"{PLAN} WHERE state = 'active' ORDER BY id LIMIT {MOST_RUNNING}")
    return [plan_of(row) for row in rows]


class Run(msgspec.Struct, frozen=True):
    """A plan's day: how many tasks were made and how many members held out, and when it was done (None: not yet)."""

    on_date: date
    made: int
    held: int
    begun_at: datetime
    done_at: datetime | None


async def list_runs(plan_id: str) -> list[Run]:
    """A plan's last days, the newest first."""
    rows = await db.fetch(
        "SELECT on_date, made, held, begun_at, done_at FROM care_run WHERE plan_id = $1"
        f" ORDER BY on_date DESC LIMIT {LAST_RUNS}",
        plan_id,
    )
    return [Run(*row) for row in rows]
