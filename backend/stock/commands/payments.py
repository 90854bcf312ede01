"""What suppliers were paid, as head office writes it down."""

from __future__ import annotations

from datetime import date

import asyncpg

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import invalid
from backend.ledger.errors import IdempotencyConflict
from backend.mall import queries as mall

log = logging.get(__name__)


async def record(supplier_id: str, amount_fen: int, paid_on: date, text: str, key: str, caller: StaffCaller) -> str:
    """Write down a payment, once per key; a mistake is corrected by a negative one. Returns its id.

    ``IdempotencyConflict`` where that key was used for another payment.
    """
    if not await mall.find_supplier_names([supplier_id]):
        raise invalid("/supplier_id", "there is no such supplier")
    payment_id, unique = ids.new_short("Z"), f"{caller.staff_id}/{key}"
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO stock_payment (id, key, supplier_id, amount_fen, paid_on, note, staff_id, at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                payment_id,
                unique,
                supplier_id,
                amount_fen,
                paid_on,
                text,
                caller.staff_id,
                clock.now(),
            )
    except asyncpg.UniqueViolationError:
        known = await db.fetchrow(
            "SELECT id, supplier_id, amount_fen, paid_on, note FROM stock_payment WHERE key = $1", unique
        )
        if known is None or tuple(known)[1:] != (supplier_id, amount_fen, paid_on, text):
            raise IdempotencyConflict from None
        return str(known["id"])
    log.info("stock.payment_recorded", payment_id=payment_id, staff_id=caller.staff_id, amount_fen=amount_fen)
    return payment_id
