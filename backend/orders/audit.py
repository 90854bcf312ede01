"""The proof of orders: what the mall's own rows say is what the ledger's documents and the promises of stock say.

Importing this module tells stock which orders wait for their payment.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from backend.kernel import ids
from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof
from backend.stock import queries as stock

from . import plans

CHUNK = 2000
CHECK, TITLE = "order_stands", "an order stands where its document does"

_BEFORE_ALL = (-(1 << 63), "")
_PAGE = "SELECT member_id, id FROM orders_order WHERE (member_id, id) > ($1, $2) ORDER BY member_id, id LIMIT $3"
_STANDS = """
SELECT o.member_id, format('order %s is %s, its document %s', o.id, o.state, coalesce(d.state, 'is not there'))
  FROM unnest($1::bigint[], $2::text[]) AS w (member_id, id)
  JOIN orders_order o USING (member_id, id)
  LEFT JOIN ledger_document d ON d.member_id = o.member_id AND d.id = o.id AND d.kind = 'order'
 WHERE CASE d.state
       WHEN 'awaiting_payment' THEN o.state = 'awaiting_payment'
       WHEN 'closed' THEN o.state IN ('closed', 'cancelled')
       WHEN 'cancelled' THEN o.state = 'cancelled'
       WHEN 'refunded' THEN o.state NOT IN ('awaiting_payment', 'closed')
       -- Cancelled with nothing given back: right of an order that cost nothing, else somebody's money is gone.
       WHEN 'paid' THEN o.state NOT IN ('awaiting_payment', 'closed') AND (o.state <> 'cancelled' OR o.payable_fen = 0)
       ELSE d.state = 'partly_refunded' AND o.state NOT IN ('awaiting_payment', 'closed')
       END IS NOT TRUE"""
_LOST = """
SELECT d.member_id, format('order %s is %s in the books, and no order', d.id, d.state) FROM ledger_document d
 WHERE d.kind = 'order' AND NOT EXISTS (SELECT FROM orders_order o WHERE o.member_id = d.member_id AND o.id = d.id)
 LIMIT $1"""

# Two questions: orders lie with their members, promises with stock.
_WAITING = """
SELECT o.id, o.store_id, l.sku, sum(l.qty)::bigint
  FROM unnest($1::bigint[], $2::text[]) AS w (member_id, id)
  JOIN orders_order o ON o.member_id = w.member_id AND o.id = w.id AND o.state = 'awaiting_payment'
  JOIN orders_line l ON l.member_id = o.member_id AND l.order_id = o.id
 GROUP BY o.member_id, o.id, o.store_id, l.sku"""
_PROMISED = "SELECT order_id, place_id, sku, qty FROM stock_reservation WHERE order_id = ANY($1)"


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Hold every order against its document, chunk by chunk, in a transaction that is open."""
    rows = list(await connection.fetch(_LOST, MAX_FINDINGS))
    after = _BEFORE_ALL
    while page := await connection.fetch(_PAGE, *after, CHUNK):
        rows += await connection.fetch(_STANDS, [row[0] for row in page], [row[1] for row in page])
        after = tuple(page[-1])
    return [Finding(CHECK, *row) for row in rows[:MAX_FINDINGS]]


async def find_waiting(connection: asyncpg.Connection, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders wait for their payment, promised just what they ordered; as that connection sees them."""
    members = [ids.member_of(order_id, plans.PREFIX) or 0 for order_id in order_ids]
    ordered = {tuple(row[:3]): row[3] for row in await connection.fetch(_WAITING, members, list(order_ids))}
    promised = await connection.fetch(_PROMISED, list(order_ids))
    wrong = {row[0] for row in promised if ordered.get(tuple(row[:3])) != row[3]}
    return {order_id for order_id, _, _ in ordered} - wrong


stock.know_orders_by(find_waiting)

PROOF = Proof("orders", {CHECK: TITLE}, prove)
