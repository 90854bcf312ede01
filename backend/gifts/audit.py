"""The proof of gifts: what their own rows say is what the ledger and the promises of stock say.

Importing this module tells stock which redemptions wait.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from backend.kernel import ids
from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof
from backend.stock import queries as stock

from . import plans

CHUNK = 2000
CHECK, TITLE = "gift_adds_up", "a gift was taken as often as its redemptions say, and each took what its books say"

_BEFORE_ALL = (-(1 << 63), "")
_PAGE = "SELECT member_id, id FROM gifts_redemption WHERE (member_id, id) > ($1, $2) ORDER BY member_id, id LIMIT $3"

# What a redemption took and was not given back, of points and of money; what it gave is in another lot's account, fen.
_STANDS = """
SELECT r.member_id, format('redemption %s is %s, its document %s; it costs %s points and %s fen, %s and %s were taken',
                           r.id, r.state, coalesce(d.state, 'is not there'), w.points, w.fen, t.points, t.fen)
  FROM unnest($1::bigint[], $2::text[]) AS k (member_id, id)
  JOIN gifts_redemption r USING (member_id, id)
  LEFT JOIN ledger_document d ON d.member_id = r.member_id AND d.id = r.id AND d.kind = 'gift_redemption'
  CROSS JOIN LATERAL (SELECT CASE WHEN r.state IN ('cancelled', 'expired', 'returned') THEN 0 ELSE r.points END,
                             CASE WHEN r.state IN ('cancelled', 'expired', 'returned') THEN 0 ELSE r.pay_fen END)
    AS w (points, fen)
  CROSS JOIN LATERAL (
      SELECT coalesce(sum(e.amount) FILTER (WHERE e.kind = 'house.points_redeemed' AND e.ref = r.gift_id), 0),
             coalesce(sum(e.amount) FILTER (WHERE e.kind = 'house.gift_money' AND e.ref = r.gift_id), 0)
        FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq
       WHERE t.member_id = r.member_id AND t.document_id = r.id) AS t (points, fen)
 WHERE d.state IS DISTINCT FROM r.state OR w.points <> t.points OR w.fen <> t.fen"""
_LOST = """
SELECT d.member_id, format('redemption %s is %s in the books, and no redemption', d.id, d.state) FROM ledger_document d
 WHERE d.kind = 'gift_redemption'
   AND NOT EXISTS (SELECT FROM gifts_redemption r WHERE r.member_id = d.member_id AND r.id = d.id) LIMIT $1"""
_TAKEN = """
SELECT 0::bigint, format('gift %s was taken %s times, its redemptions say %s', g.id, g.taken, coalesce(r.taken, 0))
  FROM gifts_gift g
  LEFT JOIN (SELECT gift_id, sum(quantity) AS taken FROM gifts_redemption WHERE counted GROUP BY 1) r
    ON r.gift_id = g.id
 WHERE g.taken <> coalesce(r.taken, 0) LIMIT $1"""

_WAITING = """
SELECT r.id, r.place_id, r.sku, r.quantity FROM unnest($1::bigint[], $2::text[]) AS w (member_id, id)
  JOIN gifts_redemption r USING (member_id, id) WHERE r.state IN ('waiting', 'to_send')"""
_PROMISED = "SELECT order_id, place_id, sku, qty FROM stock_reservation WHERE order_id = ANY($1)"


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Hold every redemption against its document and its transfers, in a transaction that is open."""
    rows = [*await connection.fetch(_LOST, MAX_FINDINGS), *await connection.fetch(_TAKEN, MAX_FINDINGS)]
    after = _BEFORE_ALL
    while page := await connection.fetch(_PAGE, *after, CHUNK):
        rows += await connection.fetch(_STANDS, [row[0] for row in page], [row[1] for row in page])
        after = tuple(page[-1])
    return [Finding(CHECK, *row) for row in rows[:MAX_FINDINGS]]


async def find_waiting(connection: asyncpg.Connection, redemption_ids: Sequence[str]) -> set[str]:
    """Which of these redemptions wait for just what they are promised; as that connection sees them."""
    members = [ids.member_of(one, plans.PREFIX) or 0 for one in redemption_ids]
    wanted = {tuple(row[:3]): row[3] for row in await connection.fetch(_WAITING, members, list(redemption_ids))}
    promised = await connection.fetch(_PROMISED, list(redemption_ids))
    wrong = {row[0] for row in promised if wanted.get(tuple(row[:3])) != row[3]}
    return {redemption_id for redemption_id, _, _ in wanted} - wrong


stock.know_orders_by(find_waiting, of="gifts")

PROOF = Proof("gifts", {CHECK: TITLE}, prove)
