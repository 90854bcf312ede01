"""Reads of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import Given, How, On, Task, TaskState

TASK = (
    'SELECT id, plan_id, member_id, occasion, "on", how, state, store_id, owner_id, made_at, due_on, said, given, note,'
    " closed_by, closed_at FROM care_task"
)
_said = msgspec.json.Decoder(dict[str, str]).decode
_given = msgspec.json.Decoder(Given).decode


def task_of(row: db.Record) -> Task:
    """A row of ``TASK``."""
    return Task(
        **dict(row)
        | {
            "on": On(row["on"]),
            "how": How(row["how"]),
            "state": TaskState(row["state"]),
            "said": _said(row["said"]),
            "given": None if row["given"] is None else _given(row["given"]),
        }
    )


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks: ``overdue`` are the open ones whose day is before ``today``."""

    today: date
    state: TaskState | None = None
    overdue: bool = False
    plan_id: str | None = None
    store_id: str | None = None
    owner_id: int | None = None
    member_id: int | None = None


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    texts, arguments = ["true"], list[Any]()

    def add(text: str, argument: Any) -> None:
        if argument is not None:
            arguments.append(argument)
            texts.append(text.replace("$?", f"${len(arguments)}"))

    state = TaskState.OPEN if wanted.overdue else wanted.state
    if state is not None:  # in the text: some states have an index of their own
        texts.append(f"state = '{state.value}'")
    add("due_on < $?", wanted.today if wanted.overdue else None)
    add("plan_id = $?", wanted.plan_id)
    add("store_id = $?", wanted.store_id)
    add("owner_id = $?", wanted.owner_id)
    add("member_id = $?", wanted.member_id)
    return " AND ".join(texts), arguments


async def list_tasks(wanted: Wanted, *, after: Place | None, limit: int) -> list[Task]:
    """Tasks, the newest first."""
    where, arguments = _where(wanted)
    n = len(arguments)
    rows = await db.fetch(
        f"{TASK} WHERE {where} AND (${n + 1}::timestamptz IS NULL OR (made_at, id) < (${n + 1}, ${n + 2}))"
        f" ORDER BY made_at DESC, id DESC LIMIT ${n + 3}",
        *arguments,
        *(after or (None, None)),
        limit,
    )
    return [task_of(row) for row in rows]


async def list_of_member(member_id: int, store_id: str | None, limit: int) -> list[Task]:
    """A member's tasks, newest first, but for those held out; a store's, or all."""
    rows = await db.fetch(
        f"{TASK} WHERE member_id = $1 AND ($2::text IS NULL OR store_id = $2) AND state <> 'held_out'"
        " ORDER BY made_at DESC, id DESC LIMIT $3",
        member_id,
        store_id,
        limit,
    )
    return [task_of(row) for row in rows]


async def count_open(member_id: int, store_id: str | None) -> int:
    """How many to-dos for a member are open, at most 1,000; a store's, or all."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM (SELECT FROM care_task WHERE member_id = $1 AND state = 'open'"
        " AND ($2::text IS NULL OR store_id = $2) LIMIT 1000) AS t",
        member_id,
        store_id,
    )
    return count


async def find_task(task_id: str) -> Task | None:
    """A task, or None."""
    row = await db.fetchrow(f"{TASK} WHERE id = $1", task_id)
    return task_of(row) if row else None


async def list_of_members(member_ids: Sequence[int], on: On, occasion: str) -> list[Task]:
    """The tasks that these members have for an occasion, of whichever plan, but for those held out."""
    rows = await db.fetch(
        f"{TASK} WHERE member_id = ANY($1) AND \"on\" = $2 AND occasion = $3 AND state <> 'held_out'"
        " ORDER BY how = 'letter', made_at, id",
        list(member_ids),
        on.value,
        occasion,
    )
    return [task_of(row) for row in rows]
