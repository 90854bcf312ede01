"""The proof of member cards: quotas, histories, and what members' rows say of their cards."""

from __future__ import annotations

import asyncpg

from backend.kernel.proofs import Finding, Proof, ask

CHECK, TITLE = "member_card_stands", "quotas, histories and members say of member cards what the cards say"

_CHECKS = (
    # an issuer has taken what it has, and what a move that is under way holds for it
    """
SELECT 0::bigint AS member_id, format('%s has taken %s cards, there are %s', i.id, i.taken, c.cards + m.coming) AS what
  FROM membercard_issuer i
 CROSS JOIN LATERAL (SELECT count(*) AS cards FROM membercard WHERE issuer_id = i.id) c
 CROSS JOIN LATERAL (SELECT coalesce(sum(to_serial - next_serial + 1), 0) AS coming FROM membercard_move
                      WHERE issuer_id = i.id AND kind = 'allot' AND state = 'running') m
 WHERE i.taken <> c.cards + m.coming LIMIT $1""",
    # a card is what its history says last
    """
SELECT coalesce(c.member_id, 0) AS member_id, format('card %s is %s, its history says %s', c.id, c.state, s.state)
       AS what
  FROM membercard c LEFT JOIN membercard_step s ON s.card_id = c.id AND s.n = c.steps
 WHERE (s.state, s.member_id) IS DISTINCT FROM (c.state, c.member_id) LIMIT $1""",
    # a member's row names the type of the card that they hold
    """
SELECT m.id AS member_id, format('has a card of type %s, and holds %s', m.card_type, c.type_code) AS what
  FROM member m FULL JOIN (SELECT member_id, type_code FROM membercard WHERE state IN ('issued', 'lost')) c
    ON c.member_id = m.id
 WHERE (m.card_type IS NOT NULL OR c.member_id IS NOT NULL) AND m.card_type IS DISTINCT FROM c.type_code LIMIT $1""",
    # by store, the deposits that cards say are held are what the books of all who ever had one hold
    """
WITH once AS (
    SELECT s.member_id FROM membercard c JOIN membercard_step s ON s.card_id = c.id
     WHERE (c.deposit_fen > 0 OR c.deposit_state <> 'none') AND s.member_id IS NOT NULL
), holder AS (
    SELECT member_id FROM once
     UNION SELECT m.merged_into FROM once o JOIN member m ON m.id = o.member_id WHERE m.merged_into IS NOT NULL
)
SELECT 0::bigint AS member_id, format('store %s holds %s fen of deposits, its cards say %s', coalesce(b.store, c.store),
       coalesce(b.fen, 0), coalesce(c.fen, 0)) AS what
  FROM (SELECT e.ref AS store, sum(e.amount) AS fen FROM holder h
          JOIN ledger_entry e ON e.member_id = h.member_id AND e.kind = 'house.card_deposits' GROUP BY e.ref) b
  FULL JOIN (SELECT deposit_store AS store, sum(deposit_fen) AS fen FROM membercard WHERE deposit_state = 'held'
              GROUP BY deposit_store) c ON c.store = b.store
 WHERE coalesce(b.fen, 0) <> coalesce(c.fen, 0) LIMIT $1""",
    # a number fits its type
    """
SELECT coalesce(c.member_id, 0) AS member_id, format('the number of card %s is none of type %s', c.id, t.code) AS what
  FROM membercard c JOIN membercard_type t ON t.code = c.type_code
 WHERE length(c.number) <> t.length OR left(c.number, length(t.prefix)) <> t.prefix LIMIT $1""",
)


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Ask of every card, issuer and type, in a transaction that is open."""
    return await ask(connection, CHECK, _CHECKS)


PROOF = Proof("member cards", {CHECK: TITLE}, prove)
