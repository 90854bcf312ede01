"""Row locks. A template comes before its codes and batches, and before any member's books."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import TEMPLATE, template_of
from .records import Template

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_template(tx: Tx, template_id: str) -> Template:
    """A template, locked until the transaction ends; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{TEMPLATE} WHERE id = $1 FOR UPDATE", template_id)
    if not rows:
        raise NotFound("there is no such template")
    return template_of(rows[0])
