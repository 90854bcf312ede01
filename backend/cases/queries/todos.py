"""Overdue cases that somebody is to look after."""

from __future__ import annotations

from backend.kernel import db

from ..types import Level, Todo
from .cases import CASE, case_of

MOST = 100

_TODOS = CASE.replace("SELECT ", "SELECT t.level, t.made_at, ", 1) + " JOIN feedback_todo t ON t.case_id = c.id"


async def list_todos(level: Level, store_id: str | None) -> list[Todo]:
    """The open to-dos of a store's manager, or of head office (``store_id`` None), the oldest first."""
    rows = await db.fetch(
        f"{_TODOS} WHERE t.done_at IS NULL AND t.level = $1 AND ($2::text IS NULL OR t.store_id = $2)"
        " ORDER BY t.made_at, t.case_id LIMIT $3",
        level.value,
        store_id,
        MOST,
    )
    todos = []
    for row in rows:
        fields = dict(row)
        level_, made_at = Level(fields.pop("level")), fields.pop("made_at")
        todos.append(Todo(case=case_of(fields), level=level_, made_at=made_at))
    return todos
