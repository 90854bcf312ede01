"""Imports of members as they stand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place

from ..rules.rows import Flaw
from ..types import Import, ImportState

ROW_CONTEXT = "registration_import.row"
PAGE = 1_000
IMPORT = (
    "SELECT id, title, kind, skip_bad, dry_run, state, total, good, bad, done, made, points, principal_fen, bonus_fen,"
    " staff_id, approval_id, failed_row, failure, created_at, updated_at, ended_at FROM registration_import"
)


def import_of(row: db.Record) -> Import:
    """An import from such a row."""
    return Import(**dict(row) | {"state": ImportState(row["state"])})


async def get_import(import_id: str) -> Import:
    """An import; ``NotFound`` for none."""
    row = await db.fetchrow(f"{IMPORT} WHERE id = $1", import_id)
    if row is None:
        raise NotFound("there is no such import")
    return import_of(row)


async def find_import_of(key: str) -> tuple[str, bytes] | None:
    """The import that was begun with that key, and the digest of what was sent."""
    row = await db.fetchrow("SELECT id, digest FROM registration_import WHERE key = $1", key)
    return (row["id"], bytes(row["digest"])) if row else None


async def list_imports(*, before: Place | None, limit: int) -> list[Import]:
    """Imports, newest first."""
    rows = await db.fetch(
        f"{IMPORT} WHERE ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2))"
        " ORDER BY created_at DESC, id DESC LIMIT $3",
        *(before or (None, "")),
        limit,
    )
    return [import_of(row) for row in rows]


async def list_flaws(import_id: str, *, after: Flaw | None = None, limit: int) -> list[Flaw]:
    """What is wrong with an import's rows, by row."""
    place = (after.row, after.field, after.message) if after else (0, "", "")
    rows = await db.fetch(
        "SELECT row_no, field, message FROM registration_import_flaw WHERE import_id = $1"
        " AND (row_no, field, message) > ($2, $3, $4) ORDER BY row_no, field, message LIMIT $5",
        import_id,
        *place,
        limit,
    )
    return [Flaw(*row) for row in rows]


async def report_pages(import_id: str) -> AsyncIterator[Sequence[tuple[int, str, str, str]]]:
    """Every row with what became of it: number, result, field, and what is wrong; a row with two flaws twice."""
    after = (0, "", "")
    while True:
        rows = await db.fetch(
            "SELECT row_no, result, field, message FROM ("
            " SELECT row_no, coalesce(result, 'good') AS result, '' AS field, '' AS message"
            "   FROM registration_import_row WHERE import_id = $1"
            " UNION ALL SELECT row_no, 'bad', field, message FROM registration_import_flaw WHERE import_id = $1) r"
            " WHERE (row_no, field, message) > ($2, $3, $4) ORDER BY row_no, field, message LIMIT $5",
            import_id,
            *after,
            PAGE,
        )
        if not rows:
            return
        yield [tuple(row) for row in rows]
        after = (rows[-1]["row_no"], rows[-1]["field"], rows[-1]["message"])


async def count_results(import_id: str) -> dict[str, int]:
    """How many of an import's rows came to which end."""
    rows = await db.fetch(
        "SELECT result, count(*) FROM registration_import_row WHERE import_id = $1 AND result IS NOT NULL GROUP BY 1",
        import_id,
    )
    return dict(map(tuple, rows))


CLAIMED = (
    "SELECT import_id, count(*) FROM registration_import_row"
    " WHERE import_id = ANY($1) AND claimed_at IS NOT NULL GROUP BY import_id"
)


async def count_claimed(import_ids: Sequence[str]) -> dict[str, int]:
    """Of whom each import made, how many have claimed their record by their phone."""
    return dict(map(tuple, await db.fetch(CLAIMED, list(import_ids))))


async def note_claim(tx: Tx, member_id: int, at: datetime) -> None:
    """Note that somebody whom an import made has claimed their record; of others, nothing."""
    await db.raw(tx).execute(
        "UPDATE registration_import_row SET claimed_at = $2 WHERE member_id = $1 AND claimed_at IS NULL", member_id, at
    )


async def list_stuck(before: datetime) -> list[str]:
    """Imports that a job was at and nobody has worked on since then."""
    rows = await db.fetch(
        "SELECT id FROM registration_import WHERE state IN ('waiting', 'reading', 'writing') AND updated_at < $1"
        " ORDER BY updated_at LIMIT 20",
        before,
    )
    return [row["id"] for row in rows]


async def list_approving() -> dict[str, str]:
    """Imports that wait for a second person, with their approvals."""
    rows = await db.fetch(
        "SELECT id, approval_id FROM registration_import WHERE state = 'approving' AND approval_id IS NOT NULL"
        " ORDER BY updated_at LIMIT 200"
    )
    return {row["id"]: row["approval_id"] for row in rows}


async def find_next_row(import_id: str) -> int | None:
    """The row of an import whose turn it is."""
    found: int | None = await db.fetchval(
        "SELECT row_no FROM registration_import_row WHERE import_id = $1 AND result IS NULL ORDER BY row_no LIMIT 1",
        import_id,
    )
    return found
