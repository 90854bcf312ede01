"""Documents of members: set, taken away; and requests that are over are forgotten."""

from __future__ import annotations

import asyncpg

from backend.kernel import clock, db
from backend.kernel.errors import invalid
from backend.kernel.vault import vault
from backend.members import service as members

from . import queries, rules
from .errors import DocumentTaken

KEPT_DAYS = 30
AT_ONCE = 5000


async def set_document(member_id: int, number: str | None) -> None:
    """Register the number of a member's document, or (None) forget it; ``NotFound``, ``DocumentTaken``."""
    normal = rules.normal_document(number) if number is not None else None
    if number is not None and normal is None:
        raise invalid("/number", "is no number of a document: 6 to 24 letters and digits")
    try:
        async with db.transaction() as tx:
            await members.lock(tx, member_id)
            if normal is None:
                await db.raw(tx).execute("DELETE FROM identity_document WHERE member_id = $1", member_id)
                return
            await db.raw(tx).execute(
                "INSERT INTO identity_document (member_id, number_sealed, number_index, set_at)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (member_id) DO UPDATE SET number_sealed = $2,"
                " number_index = $3, set_at = $4",
                *(member_id, vault().seal(normal.encode(), context=queries.DOCUMENT_CONTEXT)),
                *(queries.document_index(normal), clock.now()),
            )
    except asyncpg.UniqueViolationError:
        raise DocumentTaken from None


async def forget_requests() -> int:
    """Forget requests that were over a month ago; returns how many."""
    gone = await db.fetchval(
        "WITH gone AS (DELETE FROM identity_request WHERE id IN (SELECT id FROM identity_request"
        " WHERE expires_at < $1::timestamptz - make_interval(days => $2) ORDER BY expires_at LIMIT $3) RETURNING 1)"
        " SELECT count(*) FROM gone",
        *(clock.now(), KEPT_DAYS, AT_ONCE),
    )
    return int(gone)
