"""Row locks. An order is locked before its goods, gift cards and books; several in the order of their ids."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import ONE_ORDER, order_of
from .types import Order


async def lock_order(tx: Tx, member_id: int, order_id: str) -> Order:
    """A member's order, locked, without its lines; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{ONE_ORDER} FOR UPDATE", member_id, order_id)
    if not rows:
        raise NotFound("there is no such order")
    return order_of(rows[0])
