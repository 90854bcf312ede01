"""Row locks. An approval comes before everything that its kind locks when it is applied."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import APPROVAL, approval_of
from .types import Approval

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_approval(tx: Tx, approval_id: str) -> Approval:
    """An approval, to be decided; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{APPROVAL} WHERE id = $1 FOR UPDATE", approval_id)
    if not rows:
        raise NotFound("there is no such approval")
    return approval_of(rows[0])
