"""Row locks. A member's row comes before their cards, cards by id ascending, and all of them before any books."""

from __future__ import annotations

from collections.abc import Iterable

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import CARD, card_of
from .types import GiftCard

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""


async def lock_cards(tx: Tx, card_ids: Iterable[int]) -> dict[int, GiftCard]:
    """Cards by id, locked until the transaction ends; ``NotFound`` where one is none.

    What is on them is read after the locks were had: nobody who pays with a card does so without its lock.
    """
    wanted = sorted(set(card_ids))
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, "SELECT id FROM giftcard WHERE id = ANY($1) ORDER BY id FOR UPDATE", wanted)
    if len(rows) < len(wanted):
        raise NotFound("there is no such gift card")
    return {row["id"]: card_of(row) for row in await db.fetch_in(tx, f"{CARD} WHERE c.id = ANY($1)", wanted)}


async def lock_card(tx: Tx, card_id: int) -> GiftCard:
    """One card, locked."""
    return (await lock_cards(tx, (card_id,)))[card_id]


async def lock_batch(tx: Tx, batch_id: str) -> db.Record:
    """A batch's row, locked; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(
        tx,
        "SELECT id, product_id, note, total, made, drawn, state, secret_sealed FROM giftcard_batch"
        " WHERE id = $1 FOR UPDATE",
        batch_id,
    )
    if not rows:
        raise NotFound("there is no such batch")
    return rows[0]
