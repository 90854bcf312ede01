"""What the clock asks for: reading old documents, and counting what became of what was paid."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger import queries as ledger

from .. import service
from ..rules import facts

AT_ONCE = 500
ROUNDS = 200


async def look_back() -> int:
    """Go on reading what was bought before anybody wrote it down, by member and document; how many it were."""
    read = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            place = await db.fetch_in(
                tx, "SELECT member_id, document_id FROM rebate_backfill WHERE NOT done FOR UPDATE"
            )
            if not place:
                break
            documents = await ledger.list_documents_after(
                facts.KINDS, place[0]["member_id"], place[0]["document_id"], AT_ONCE
            )
            sale_ids = {one.body.get("sale_id", one.id) for one in documents}
            await service.lock_holders(tx, {one.member_id for one in documents}, sale_ids)
            await service.write_facts(tx, [one for one in documents if one.state in facts.BOUGHT])
            last = (documents[-1].member_id, documents[-1].id) if documents else (0, "")
            await db.raw(tx).execute(
                "UPDATE rebate_backfill SET member_id = $1, document_id = $2, done = $3",
                *last,
                len(documents) < AT_ONCE,
            )
        read += len(documents)
        if len(documents) < AT_ONCE:
            break
    return read


_DUE = """
SELECT h.member_id, coalesce(r.seq, 0) AS since, h.seq
  FROM ledger_head h LEFT JOIN rebate_rolled r ON r.member_id = h.member_id
 WHERE h.member_id > $1 AND h.seq > coalesce(r.seq, 0) ORDER BY h.member_id LIMIT $2"""
_COUNT = """
INSERT INTO rebate_flow AS f (run_id, scheme_id, store_id, at_store_id, paid_fen, used_fen, expired_fen, other_fen)
SELECT s.run_id, split_part(l.part, '/', 1), split_part(l.part, '/', 2), coalesce(d.store_id, ''),
       coalesce(sum(m.amount) FILTER (WHERE t.kind = 'rebate_payout'), 0),
       coalesce(-sum(m.amount) FILTER (WHERE t.kind = ANY($4)), 0),
       coalesce(-sum(m.amount) FILTER (WHERE t.kind IN ('expiry', 'given_up')), 0),
       coalesce(sum(m.amount) FILTER (WHERE t.kind <> ALL($4 || ARRAY['rebate_payout', 'expiry', 'given_up'])), 0)
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS due (member_id, since, seq)
  JOIN ledger_transfer t ON t.member_id = due.member_id AND t.seq > due.since AND t.seq <= due.seq
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id AND l.kind = 'rebate'
  JOIN rebate_statement s ON s.id = l.source
  LEFT JOIN ledger_document d ON d.member_id = t.member_id AND d.id = t.document_id
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (run_id, scheme_id, store_id, at_store_id) DO UPDATE SET paid_fen = f.paid_fen + EXCLUDED.paid_fen,
   used_fen = f.used_fen + EXCLUDED.used_fen, expired_fen = f.expired_fen + EXCLUDED.expired_fen,
   other_fen = f.other_fen + EXCLUDED.other_fen"""
_COUNTED = """
INSERT INTO rebate_rolled (member_id, seq) SELECT * FROM unnest($1::bigint[], $2::bigint[])
ON CONFLICT (member_id) DO UPDATE SET seq = EXCLUDED.seq"""
USED = ("sale", "order", "order_held", "refund", "order_released")
"""Transfers that use rebate, or give what was used back to its lots."""


async def roll_up() -> int:
    """Count what became of what was paid since the last time; returns of how many members.

    A member's transfers become visible in the order of their numbers: a late commit is counted late, never missed.
    """
    after, counted = -(1 << 62), 0
    while True:
        async with db.transaction() as tx:
            due = await _count(tx, after)
        if not due:
            return counted
        after, counted = due[-1]["member_id"], counted + len(due)


async def _count(tx: Tx, after: int) -> list[db.Record]:
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock(hashtext('rebate_roll_up'))")
    due = await db.fetch_in(tx, _DUE, after, AT_ONCE)
    if due:
        members_, since, until = ([row[place] for row in due] for place in range(3))
        await db.raw(tx).execute(_COUNT, members_, since, until, list(USED))
        await db.raw(tx).execute(_COUNTED, members_, until)
    return due
