"""Row locks. A product comes before any member's books."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import PRODUCT, product_of
from .records import Product

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_product(tx: Tx, product_id: str) -> Product:
    """A product, locked until the transaction ends; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{PRODUCT} WHERE id = $1 FOR UPDATE", product_id)
    if not rows:
        raise NotFound("there is no such product")
    return product_of(rows[0])
