"""Batches and their members as they stand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import BatchRow, BatchState, MemberBatch

BATCH = (
    "SELECT id, kind, reason, state, change, audience, meant, done, changed, staff_id, store_id, approval_id,"
    " failed_row, failure, created_at, ended_at FROM registration_batch"
)


def batch_of(row: db.Record) -> MemberBatch:
    """A batch from such a row."""
    raw = {name: msgspec.Raw(row[name].encode()) for name in ("change", "audience")}
    return MemberBatch(**dict(row) | raw | {"state": BatchState(row["state"])})


async def find_batch(batch_id: str) -> MemberBatch | None:
    """A batch, or None."""
    row = await db.fetchrow(f"{BATCH} WHERE id = $1", batch_id)
    return batch_of(row) if row else None


async def find_batch_of(key: str) -> tuple[str, bytes] | None:
    """The batch that was begun with that key, and the digest of what was sent."""
    row = await db.fetchrow("SELECT id, digest FROM registration_batch WHERE key = $1", key)
    return (row["id"], bytes(row["digest"])) if row else None


async def list_batches(
    store_id: str | None, state: BatchState | None, *, before: Place | None, limit: int
) -> list[MemberBatch]:
    """Batches, newest first: those of people of a store, or everybody's."""
    rows = await db.fetch(
        f"{BATCH} WHERE ($1::text IS NULL OR store_id = $1) AND ($2::text IS NULL OR state = $2)"
        " AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))"
        " ORDER BY created_at DESC, id DESC LIMIT $5",
        store_id,
        state.value if state else None,
        *(before or (None, "")),
        limit,
    )
    return [batch_of(row) for row in rows]


async def count_results(batch_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many members of each batch came to which end."""
    rows = await db.fetch(
        "SELECT batch_id, result, count(*) FROM registration_batch_row"
        " WHERE batch_id = ANY($1) AND result IS NOT NULL GROUP BY 1, 2",
        list(batch_ids),
    )
    found: dict[str, dict[str, int]] = {}
    for batch_id, result, count in rows:
        found.setdefault(batch_id, {})[result] = count
    return found


async def list_rows(batch_id: str, result: str | None, *, after: int, limit: int) -> list[BatchRow]:
    """Members of a batch by id, from above ``after``."""
    rows = await db.fetch(
        "SELECT member_id, result FROM registration_batch_row WHERE batch_id = $1 AND member_id > $2"
        " AND ($3::text IS NULL OR result = $3) ORDER BY member_id LIMIT $4",
        batch_id,
        after,
        result,
        limit,
    )
    return [BatchRow(*row) for row in rows]


async def row_pages(batch_id: str) -> AsyncIterator[list[BatchRow]]:
    """All members of a batch, a thousand at a time."""
    after = 0
    while page := await list_rows(batch_id, None, after=after, limit=1_000):
        yield page
        after = page[-1].member_id


async def list_stuck(before: datetime) -> list[str]:
    """Running batches that nobody has worked on since then."""
    rows = await db.fetch(
        "SELECT id FROM registration_batch WHERE state = 'running' AND updated_at < $1 ORDER BY updated_at LIMIT 20",
        before,
    )
    return [row["id"] for row in rows]


async def find_next_member(batch_id: str) -> int | None:
    """The member of a batch whose turn it is."""
    found: int | None = await db.fetchval(
        "SELECT min(member_id) FROM registration_batch_row WHERE batch_id = $1 AND result IS NULL",
        batch_id,
    )
    return found


async def list_waiting() -> dict[str, str]:
    """Batches that wait for a second person, with their approvals."""
    rows = await db.fetch(
        "SELECT id, approval_id FROM registration_batch WHERE state = 'waiting' AND approval_id IS NOT NULL"
        " ORDER BY updated_at LIMIT 500"
    )
    return {row["id"]: row["approval_id"] for row in rows}
