"""Writes of carts and orders on an open transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger.types import Document
from backend.wallet.types import PspMovement

from . import plans
from .types import Order, OrderState

_ORDERS = """
INSERT INTO orders_order (member_id, id, store_id, state, checkout_id, delivery, payable_fen, note, placed_at,
                          updated_at, paid_at, payment_id, pay_until, spot_id, spot_name)
SELECT member_id, id, store_id, state, checkout_id, delivery, payable_fen, note, placed_at, placed_at, paid_at,
       payment_id, pay_until, spot_id, spot_name
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
              $9::timestamptz[], $10::timestamptz[], $11::text[], $12::timestamptz[], $13::text[], $14::text[])
    AS w (member_id, id, store_id, state, checkout_id, delivery, payable_fen, note, placed_at, paid_at, payment_id,
          pay_until, spot_id, spot_name)"""

_LINES = """
INSERT INTO orders_line (member_id, order_id, line_no, sku, qty, product_id, name, spec, picture, list_fen, payable_fen,
                         weight_g, steps)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::bigint[], $11::bigint[], $12::int[], $13::text[]::jsonb[])"""

# Locked in the order in which carts are written, so that nobody waits crosswise.
_BOUGHT = """
WITH bought AS (
    SELECT c.member_id, c.store_id, c.sku
      FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (member_id, store_id, sku)
      JOIN orders_cart_line c ON c.member_id = w.member_id AND c.store_id = w.store_id AND c.sku = w.sku
     ORDER BY 1, 2, 3 FOR UPDATE OF c)
DELETE FROM orders_cart_line c USING bought b
 WHERE c.member_id = b.member_id AND c.store_id = b.store_id AND c.sku = b.sku"""


async def write_orders(tx: Tx, orders: Sequence[Order]) -> None:
    """Add orders with their lines, and take what they bought out of the carts; three statements, whatever the number.

    Whoever adds to a cart at the same moment keeps what they added.
    """
    if not orders:
        return
    connection = db.raw(tx)
    await connection.execute(
        _ORDERS,
        *_columns(
            (
                *(order.member_id, order.id, order.store_id, order.state, order.checkout_id, order.delivery),
                *(order.payable_fen, order.note, order.placed_at, order.paid_at, order.payment_id),
                *(order.pay_until, order.spot_id, order.spot_name),
            )
            for order in orders
        ),
    )
    await connection.execute(
        _LINES,
        *_columns(
            (
                *(order.member_id, order.id, line.line_no, line.sku, line.qty, line.product_id, line.name, line.spec),
                *(line.picture, line.list_fen, line.payable_fen, line.weight_g),
                msgspec.json.encode(line.steps).decode(),
            )
            for order in orders
            for line in order.lines
        ),
    )
    await take_bought(tx, {(order.member_id, order.store_id, line.sku) for order in orders for line in order.lines})


async def take_bought(tx: Tx, bought: Iterable[tuple[int, str, str]]) -> None:
    """Take articles out of carts, each named by member, store and SKU; one that is not there is no mistake."""
    await db.raw(tx).execute(_BOUGHT, *_columns(sorted(bought)))


def _columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def change_state(
    tx: Tx, member_id: int, order_id: str, state: OrderState, *, at: datetime, ended: bool = False
) -> None:
    """Bring a locked order to a state; ``ended``: it is over."""
    await db.raw(tx).execute(
        "UPDATE orders_order SET state = $3::text, updated_at = $4, ended_at = CASE WHEN $5 THEN $4 ELSE ended_at END,"
        " paid_at = CASE WHEN $3::text = 'paid' THEN $4 ELSE paid_at END"
        " WHERE member_id = $1 AND id = $2",
        member_id,
        order_id,
        state,
        at,
        ended,
    )


def psp_movements(document: Document) -> tuple[PspMovement, ...]:
    """What a document of the mall says that WeChat Pay took or gave back; nothing for other documents."""
    return plans.psp_movements(document)
