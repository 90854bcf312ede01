"""Row locks: a gift, then its shelf, then its member's books; a redemption before its gift."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import GIFT, REDEMPTION, gift_of, redemption_of
from .types import Gift, Redemption

WITHIN = "SET LOCAL lock_timeout = '10s'"
"""What a transaction waits for each lock. A crowd that wants one gift stands in line for its row."""


async def lock_gift(tx: Tx, gift_id: str) -> Gift:
    """A gift, of which one is to be taken or given back, or that is to be changed; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{GIFT} WHERE id = $1 FOR UPDATE", gift_id)
    if not rows:
        raise NotFound("there is no such gift")
    return gift_of(rows[0])


async def lock_redemption(tx: Tx, member_id: int, redemption_id: str) -> Redemption:
    """A redemption that is to move on; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{REDEMPTION} WHERE member_id = $1 AND id = $2 FOR UPDATE", member_id, redemption_id)
    if not rows:
        raise NotFound("there is no such redemption")
    return redemption_of(rows[0])
