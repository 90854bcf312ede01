"""Head office keeps products: every change is written down with who made it."""

from __future__ import annotations

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.errors import NotFound, invalid

from .. import queries, rules
from ..records import Product
from ..schemas import ProductIn
from .activations import most_on


async def create_product(body: ProductIn, staff_id: int) -> Product:
    """Add a product; its cards are made in batches."""
    low, high = _face(body)
    rules.check_product(body.holder, low, high, body.validity_months, most_fen=most_on(body.holder))
    product_id, now = ids.new_short("P"), clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO giftcard_product (id, title, holder, min_fen, max_fen, validity_months, state, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, 'active', $7)",
            product_id,
            body.title,
            body.holder.value,
            low,
            high,
            body.validity_months,
            now,
        )
        await queries.changes.note(tx, product_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await queries.get_product(product_id)


def _face(body: ProductIn) -> tuple[int, int]:
    """From how much to how much: a fixed face is both."""
    ranged = body.min_fen is not None and body.max_fen is not None
    if (body.face_fen is None) != ranged or (body.face_fen is not None and (body.min_fen or body.max_fen)):
        raise invalid("/face_fen", "give either face_fen, or min_fen and max_fen")
    if body.face_fen is not None:
        return body.face_fen, body.face_fen
    return body.min_fen or 0, body.max_fen or 0


async def end_product(product_id: str, staff_id: int) -> Product:
    """Sell no more cards of a product; what was sold stays good. Repeated, it changes nothing."""
    async with db.transaction() as tx:
        ended = await db.fetch_in(
            tx, "UPDATE giftcard_product SET state = 'ended' WHERE id = $1 AND state = 'active' RETURNING 1", product_id
        )
        if ended:
            await queries.changes.note(tx, product_id, staff_id, "end", {}, clock.now())
        elif not await db.fetch_in(tx, "SELECT 1 FROM giftcard_product WHERE id = $1", product_id):
            raise NotFound("there is no such product")
    return await queries.get_product(product_id)
