"""Row locks: one case at a time."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries.cases import CASE, case_of
from .types import Case

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_case(tx: Tx, case_id: str) -> Case:
    """A case, to be moved; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{CASE} WHERE c.id = $1 FOR UPDATE", case_id)
    if not rows:
        raise NotFound("there is no such case")
    return case_of(rows[0])


async def lock_key(tx: Tx, key: str) -> None:
    """The same request at the same time waits here for the first."""
    await db.raw(tx).execute(WITHIN)
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
