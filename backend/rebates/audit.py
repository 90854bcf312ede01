"""The proof of rebates: statements add up, follow from purchases and returns, and are paid once, to the fen."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof, ask

from .queries import facts
from .rules import periods, settling
from .types import Applied, Body, PeriodKind, Piece

SAMPLE = 5_000
"""Members' periods that are worked out anew, the newest first."""

CHECK, TITLE = "rebate_adds_up", "rebates follow from purchases, and each statement is paid once"

_CHECKS = (
    # what a statement says in full, in sums
    """
SELECT s.member_id, format('statement %s says %s + %s + %s fen, its lines %s + %s + %s, and pays %s of %s', s.id,
       s.amount_fen, s.corrected_fen, s.brought_fen, b.amount, b.corrected, b.brought, s.payout_fen, b.paid)
  FROM rebate_statement s CROSS JOIN LATERAL (
       SELECT (SELECT coalesce(sum((p->>'fen')::bigint), 0) FROM jsonb_array_elements(s.body->'parts') p
                WHERE (p->>'won')::boolean) AS amount,
              (SELECT coalesce(sum((x->>2)::bigint), 0) FROM jsonb_array_elements(s.body->'corrections') c,
                      jsonb_array_elements(c->'pieces') x) AS corrected,
              (SELECT coalesce(sum((x->>2)::bigint), 0) FROM jsonb_array_elements(s.body->'brought') x) AS brought,
              (SELECT coalesce(sum((x->>2)::bigint), 0) FROM jsonb_array_elements(s.body->'paid') x) AS paid) b
 WHERE s.body ? 'parts'
   AND (s.amount_fen, s.corrected_fen, s.brought_fen, s.payout_fen) <> (b.amount, b.corrected, b.brought, b.paid)
 LIMIT $1""",
    # what one carries on is what another begins with
    """
SELECT s.member_id, format('statement %s begins with %s fen, what was carried into it is %s', s.id, s.brought_fen,
       coalesce(c.fen, 0))
  FROM rebate_statement s LEFT JOIN LATERAL (
       SELECT sum(carried_fen) AS fen FROM rebate_statement c
        WHERE c.carried_into = s.run_id AND c.holder_id = s.holder_id) c ON true
 WHERE s.brought_fen <> coalesce(c.fen, 0)
   AND NOT EXISTS (SELECT FROM rebate_statement o WHERE o.holder_id = s.holder_id AND o.run_id = s.run_id
                      AND o.member_id <> s.member_id)
 LIMIT $1""",
    # paid once, to the fen, by its own document
    """
SELECT s.member_id, format('statement %s of %s fen is paid at %s, the books paid %s fen %s times', s.id, s.payout_fen,
       s.paid_at, coalesce(t.fen, 0), t.times)
  FROM rebate_statement s CROSS JOIN LATERAL (
       SELECT count(DISTINCT t.seq) AS times, sum(e.amount) AS fen
         FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'rebate'
        WHERE t.member_id IN (s.member_id, s.holder_id) AND t.document_id = s.id AND t.kind = 'rebate_payout') t
 WHERE CASE WHEN s.paid_at IS NULL THEN t.times <> 0 ELSE t.times <> 1 OR t.fen <> s.payout_fen END LIMIT $1""",
    """
SELECT d.member_id, format('the books paid %s, and there is no such statement that is paid', d.id)
  FROM ledger_document d WHERE d.kind = 'rebate'
   AND NOT EXISTS (SELECT FROM rebate_statement s WHERE s.id = d.id AND s.paid_at IS NOT NULL) LIMIT $1""",
    # a run's own sums
    """
SELECT 0::bigint, format('run %s says %s statements, %s fen for %s, %s paid to %s, and has %s, %s to %s, %s to %s',
       r.id, r.statements, r.payout_fen, r.to_pay, r.paid_fen, r.paid, s.statements, s.payout, s.to_pay, s.paid_fen,
       s.paid)
  FROM rebate_run r CROSS JOIN LATERAL (
       SELECT count(*) AS statements, coalesce(sum(payout_fen), 0) AS payout,
              count(*) FILTER (WHERE payout_fen > 0) AS to_pay,
              coalesce(sum(payout_fen) FILTER (WHERE paid_at IS NOT NULL), 0) AS paid_fen,
              count(*) FILTER (WHERE paid_at IS NOT NULL) AS paid
         FROM rebate_statement s WHERE s.run_id = r.id) s
 WHERE r.kind = 'statements' AND r.state <> 'cancelled'
   AND (r.statements, r.payout_fen, r.to_pay, r.paid_fen, r.paid)
       <> (s.statements, s.payout, s.to_pay, s.paid_fen, s.paid) LIMIT $1""",
    # every purchase was noted that no event is on its way for
    """
SELECT d.member_id, format('purchase %s is %s, and was not noted for rebates', d.id, d.state) FROM ledger_document d
 WHERE d.kind IN ('sale', 'order', 'accrual') AND (SELECT done FROM rebate_backfill)
   AND d.state IN ('completed', 'partly_refunded', 'refunded', 'paid', 'shipped', 'ready_for_pickup', 'received',
                   'posted')
   AND NOT EXISTS (SELECT FROM rebate_purchase p
                    WHERE p.sale_id = d.id AND p.member_id IN (d.member_id, (SELECT target_id FROM rebate_moved m
                                                                              WHERE m.member_id = d.member_id)))
   AND NOT EXISTS (SELECT FROM outbox o WHERE o.member_id = d.member_id) LIMIT $1""",
)

# A member's periods that nothing waits for: what was given for them is what purchases and returns come to now.
_SETTLED = """
SELECT DISTINCT ON (r.first_on, s.holder_id) s.holder_id, r.period, r.first_on, r.schemes
  FROM rebate_statement s JOIN rebate_run r ON r.id = s.run_id
 WHERE NOT EXISTS (SELECT FROM rebate_late l WHERE l.member_id = s.holder_id AND l.period = r.period
                      AND l.first_on = r.first_on AND l.run_id IS NULL)
 ORDER BY r.first_on DESC, s.holder_id LIMIT $1"""
# Who bought something in a period that has statements, and has none; who was erased gave it up.
_UNTOLD = """
SELECT DISTINCT ON (r.first_on, o.id) o.id AS holder_id, r.period, r.first_on, r.schemes
  FROM rebate_run r JOIN rebate_purchase p ON p.day BETWEEN r.first_on AND r.last_on
 CROSS JOIN LATERAL (VALUES (p.member_id), (p.owner_id)) AS o (id)
 WHERE o.id IS NOT NULL AND r.kind = 'statements' AND r.state NOT IN ('cancelled', 'building') AND r.schemes <> '[]'
   AND NOT EXISTS (SELECT FROM member m WHERE m.id = o.id AND m.status = 'erased')
   AND NOT EXISTS (SELECT FROM rebate_statement s WHERE s.holder_id = o.id AND s.run_id = r.id)
   AND NOT EXISTS (SELECT FROM rebate_late l WHERE l.member_id = o.id AND l.period = r.period
                      AND l.first_on = r.first_on AND l.run_id IS NULL)
 ORDER BY r.first_on DESC, o.id LIMIT $1"""
_GIVEN = "SELECT first_on, body FROM rebate_statement WHERE holder_id = $1 AND period = $2 AND first_on >= $3"

_schemes = msgspec.json.Decoder(tuple[Applied, ...])
_body = msgspec.json.Decoder(Body)


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Look at every statement and run, in a transaction that is open."""
    found = await ask(connection, CHECK, _CHECKS)
    for sql in (_SETTLED, _UNTOLD):
        for row in await connection.fetch(sql, SAMPLE):
            if len(found) < MAX_FINDINGS:
                found += await _work_out(connection, row)
    return found[:MAX_FINDINGS]


async def _work_out(connection: asyncpg.Connection, row: asyncpg.Record) -> list[Finding]:
    """Work a member's period out anew from purchases and returns, and hold it against what statements gave for it."""
    period = periods.period_of(PeriodKind(row["period"]), row["first_on"])
    schemes = _schemes.decode(row["schemes"])
    member_id = row["holder_id"]
    known = await facts.accrue(connection.fetch, schemes, [member_id], period.first, period.last)
    months = {scheme.id: scheme.terms.valid_months for scheme in schemes}
    now = settling.pieces_of(known[member_id], months)
    rows = await connection.fetch(_GIVEN, member_id, period.kind.value, period.first)
    given = settling.given_for(period.first, [(given["first_on"], _body.decode(given["body"])) for given in rows])
    if not settling.differ(now, given):
        return []
    what = f"{periods.title(period)} gave {_fen(given)} fen, its purchases and returns come to {_fen(now)}"
    return [Finding(CHECK, member_id, what)]


def _fen(pieces: Sequence[Piece]) -> int:
    return sum(piece.fen for piece in pieces)


PROOF = Proof("rebates", {CHECK: TITLE}, prove)
