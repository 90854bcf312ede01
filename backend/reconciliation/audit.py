"""The proof of reconciliation and clearing: what agrees is equal, what differs is told, what is settled adds up."""

from __future__ import annotations

import asyncpg

from backend.kernel.proofs import Finding, Proof, ask

# While a bill is being kept its items are neither this bill's nor the one's before; it stays due until they are judged.
CHECK, TITLE = "settled_adds_up", "bills and settlements are what their payments and purchases say"

_CHECKS = (
    """
SELECT coalesce(i.member_id, 0), format('%s %s agrees, and is %s there and %s here', i.kind, i.number, i.theirs_fen,
       i.ours_fen)
  FROM reconciliation_item i
 WHERE i.difference IS NULL AND i.theirs_fen IS NOT NULL AND i.theirs_fen IS DISTINCT FROM i.ours_fen
   AND NOT EXISTS (SELECT FROM reconciliation_bill b WHERE b.day = i.day AND b.due_at IS NOT NULL) LIMIT $1""",
    """
SELECT coalesce(i.member_id, 0), format('%s %s differs, and nobody is told', i.kind, i.number)
  FROM reconciliation_item i
 WHERE i.difference IS NOT NULL AND NOT EXISTS (
       SELECT FROM reconciliation_difference d
        WHERE d.kind = i.kind AND d.number = i.number AND d.what = i.difference AND d.state <> 'gone')
 LIMIT $1""",
    """
SELECT 0::bigint, format('the bill of %s has %s fen paid and %s given back, its items %s and %s', b.day, b.paid_fen,
       b.refunded_fen, coalesce(i.paid, 0), coalesce(i.back, 0))
  FROM reconciliation_bill b LEFT JOIN (
       SELECT day, sum(theirs_fen) FILTER (WHERE kind = 'payment') AS paid,
              sum(theirs_fen) FILTER (WHERE kind = 'refund') AS back
         FROM reconciliation_item WHERE theirs_fen IS NOT NULL GROUP BY day) i ON i.day = b.day
 WHERE b.due_at IS NULL AND (b.paid_fen, b.refunded_fen) <> (coalesce(i.paid, 0), coalesce(i.back, 0)) LIMIT $1""",
    """
SELECT l.member_id, format('purchase %s took %s fen of lot %s, and the books say %s', l.document_id, l.fen, l.lot_id,
       coalesce(v.fen, 0))
  FROM clearing_line l LEFT JOIN LATERAL (
       SELECT -sum(m.amount) AS fen FROM ledger_transfer t
         JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq AND m.lot_id = l.lot_id
        WHERE t.member_id = l.member_id AND t.document_id = split_part(l.document_id, '/', 1)
          AND t.kind <> 'bonus_forfeited'
          AND (t.kind = 'gift_back') = (l.document_id LIKE '%/back')) v ON true
 WHERE l.part <> 'deposit' AND l.fen IS DISTINCT FROM v.fen LIMIT $1""",
    """
SELECT l.member_id, format('member card %s cleared %s fen of %s, and the books say %s', l.document_id, l.fen,
       l.from_store, coalesce(v.fen, 0))
  FROM clearing_line l LEFT JOIN LATERAL (
       SELECT -sum(e.amount) AS fen FROM ledger_transfer t
         JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.at = t.at
          AND e.kind = 'house.card_deposits' AND e.ref = l.from_store
        WHERE t.member_id = l.member_id AND t.document_id = l.document_id) v ON true
 WHERE l.part = 'deposit' AND l.fen IS DISTINCT FROM v.fen LIMIT $1""",
    """
SELECT 0::bigint, format('settlement %s says %s fen of principal, its purchases %s', s.id, s.told, coalesce(l.fen, 0))
  FROM (SELECT c.id, sum((f->>'principal_fen')::bigint) AS told
          FROM clearing_settlement c CROSS JOIN jsonb_array_elements(c.flows) AS f GROUP BY c.id) s
  LEFT JOIN (SELECT settlement_id, sum(fen) AS fen FROM clearing_line
              WHERE settlement_id IS NOT NULL AND part <> 'bonus' GROUP BY settlement_id) l ON l.settlement_id = s.id
 WHERE s.told <> coalesce(l.fen, 0) LIMIT $1""",
)


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Look at every item, line and settlement, in a transaction that is open."""
    return await ask(connection, CHECK, _CHECKS)


PROOF = Proof("bills and settlements", {CHECK: TITLE}, prove)
