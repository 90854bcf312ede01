"""Runs over many members."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import Run, RunKind, RunState

RUN = "SELECT id, kind, state, day, total, done, changed, moves, staff_id, created_at, ended_at FROM lifecycle_run"


def run_of(row: db.Record) -> Run:
    """A run from its row."""
    fields = {name: row[name] for name in Run.__struct_fields__}
    fields |= {"kind": RunKind(row["kind"]), "state": RunState(row["state"])}
    return Run(**fields | {"moves": msgspec.json.decode(row["moves"])})


async def find_run(run_id: str) -> Run | None:
    """A run, or None."""
    row = await db.fetchrow(f"{RUN} WHERE id = $1", run_id)
    return run_of(row) if row else None


async def list_runs(after: Place | None, limit: int) -> list[Run]:
    """Runs, newest first, from behind a place in the list."""
    at, run_id = after or (None, "")
    rows = await db.fetch(
        f"{RUN} WHERE $1::timestamptz IS NULL OR created_at < $1 OR (created_at = $1 AND id > $2)"
        " ORDER BY created_at DESC, id LIMIT $3",
        at,
        run_id,
        limit,
    )
    return [run_of(row) for row in rows]
