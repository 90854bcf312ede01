"""Writes that take an open transaction: facts, and marks for closed periods that they reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.errors import Stale
from backend.ledger.types import Document
from backend.members import service as members

from .rules import facts
from .rules.facts import Bought

MOST_MERGES = 5
"""Of one member, one after another, while their purchase waits to be noted."""

# Read beside the transaction: the level as it was before what follows from the purchase itself.
_WHO = """
SELECT m.id, m.level_id, g.group_id, k.member_id IS NOT NULL AS key_account, nullif(o.member_id, m.id) AS owner_id
  FROM member m LEFT JOIN group_member g ON g.member_id = m.id AND g.left_at IS NULL
  LEFT JOIN group_member o ON o.group_id = g.group_id AND o.left_at IS NULL AND o.role = 'owner'
  LEFT JOIN key_account k ON k.member_id = m.id
 WHERE m.id = ANY($1::bigint[])"""
_BONUS = """
SELECT t.document_id, -sum(m.amount)::bigint AS fen
  FROM unnest($1::bigint[], $2::text[]) AS w (member_id, id)
  JOIN ledger_transfer t ON t.member_id = w.member_id AND t.document_id = w.id AND t.kind = ANY($3)
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id
 WHERE l.kind = 'stored' AND l.ref = '' AND l.part <> 'principal' GROUP BY t.document_id"""
_PURCHASES = """
INSERT INTO rebate_purchase (member_id, sale_id, store_id, at, day, level, group_id, key_account, paid, lines, owner_id)
SELECT member_id, sale_id, store_id, at, day, level, group_id, key_account, paid::jsonb, lines::jsonb,
       nullif(owner_id, member_id)
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::date[], $6::text[], $7::text[], $8::bool[],
              $9::text[], $10::text[], $11::bigint[])
       AS w (member_id, sale_id, store_id, at, day, level, group_id, key_account, paid, lines, owner_id)
    ON CONFLICT (member_id, sale_id) DO NOTHING RETURNING member_id, sale_id"""
_RETURNS = """
INSERT INTO rebate_return (member_id, refund_id, sale_id, at, lines)
SELECT member_id, refund_id, sale_id, at, lines::jsonb
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
       AS w (member_id, refund_id, sale_id, at, lines)
    ON CONFLICT (member_id, refund_id) DO NOTHING RETURNING member_id, sale_id"""
_MARK = """
INSERT INTO rebate_late (member_id, period, first_on)
SELECT DISTINCT o.id, r.period, r.first_on FROM unnest($1::bigint[], $2::text[]) AS w (member_id, sale_id)
  JOIN rebate_purchase p ON p.member_id = w.member_id AND p.sale_id = w.sale_id
 CROSS JOIN LATERAL (VALUES (p.member_id), (p.owner_id)) AS o (id)
  JOIN rebate_run r ON r.kind = 'statements' AND r.state <> 'cancelled' AND p.day BETWEEN r.first_on AND r.last_on
 WHERE o.id IS NOT NULL
    ON CONFLICT (member_id, period, first_on) DO UPDATE SET run_id = NULL"""


async def note(tx: Tx, member_id: int, *document_ids: str) -> None:
    """Write down a purchase, or what came back of one, as its document says; once, whatever is told. Holds the
    member."""
    await lock_holders(tx, [member_id], document_ids)
    documents = await ledger.find_documents((member_id, one) for one in document_ids)
    await write_facts(tx, [one for one in documents.values() if one.kind in facts.KINDS])


_HOLDERS = "SELECT member_id, target_id FROM rebate_moved WHERE member_id = ANY($1::bigint[])"


async def _holders(tx: Tx, member_ids: Iterable[int]) -> dict[int, int]:
    """Whose the facts of merged members are; others are absent."""
    rows = await db.fetch_in(tx, _HOLDERS, list(set(member_ids)))
    return {row["member_id"]: row["target_id"] for row in rows}


# Of the groups that members are in now, and of purchases that are written down: what comes back reaches their owner.
_OWNERS = """
SELECT o.member_id AS id FROM group_member g
  JOIN group_member o ON o.group_id = g.group_id AND o.left_at IS NULL AND o.role = 'owner'
 WHERE g.member_id = ANY($1::bigint[]) AND g.left_at IS NULL
 UNION
SELECT owner_id FROM rebate_purchase
 WHERE member_id = ANY($1::bigint[]) AND sale_id = ANY($2::text[]) AND owner_id IS NOT NULL"""


async def lock_holders(tx: Tx, member_ids: Iterable[int], sale_ids: Iterable[str]) -> None:
    """Hold whoever facts of these members are of, and the owners who have such purchases, to the transaction's end.

    A run that makes statements holds them too, so no fact is written beside it. Who is merged, or owns another group,
    while this waits is followed, a few times; then ``Stale``.
    """
    wanted, sales, held = set(member_ids), list(sale_ids), set[int]()
    for _ in range(MOST_MERGES):
        moved = await _holders(tx, wanted)
        theirs = wanted | set(moved.values())
        owners = {row["id"] for row in await db.fetch_in(tx, _OWNERS, list(theirs), sales)}
        moved |= await _holders(tx, owners)
        missing = {moved.get(one, one) for one in wanted | owners} - held
        if not missing:
            return
        await members.lock_held(tx, missing)
        held |= missing
    raise Stale


_MOVES = (
    "UPDATE rebate_moved SET target_id = $2 WHERE target_id = $1",
    "INSERT INTO rebate_moved (member_id, target_id) VALUES ($1, $2)",
    "UPDATE rebate_statement SET holder_id = $2 WHERE holder_id = $1",
    "UPDATE rebate_purchase SET owner_id = $2 WHERE owner_id = $1",
    """
WITH gone AS (DELETE FROM rebate_late WHERE member_id = $1 RETURNING period, first_on, run_id)
INSERT INTO rebate_late AS l (member_id, period, first_on, run_id) SELECT $2, period, first_on, run_id FROM gone
    ON CONFLICT (member_id, period, first_on) DO UPDATE
   SET run_id = CASE WHEN EXCLUDED.run_id IS NULL THEN NULL ELSE l.run_id END""",
    # what closed periods come to for both together is worked out anew, too
    """
INSERT INTO rebate_late (member_id, period, first_on)
SELECT DISTINCT $2::bigint, r.period, r.first_on FROM rebate_purchase p
  JOIN rebate_run r ON r.kind = 'statements' AND r.state <> 'cancelled' AND p.day BETWEEN r.first_on AND r.last_on
 WHERE (p.member_id = $2 OR p.owner_id = $2) AND $1::bigint IS NOT NULL
    ON CONFLICT (member_id, period, first_on) DO UPDATE SET run_id = NULL""",
)


async def move(tx: Tx, source_id: int, target_id: int) -> None:
    """Let a member have what another bought, gave back and was told; the caller holds both.

    The purchases and returns are the target's already. Statements stay as they were made, and those of the source that
    are not paid yet are paid to the target. What comes back later of the source's purchases is the target's, and closed
    periods are worked out anew for both together with the next statement.
    """
    for sql in _MOVES:
        await db.raw(tx).execute(sql, source_id, target_id)


async def write_facts(tx: Tx, documents: Sequence[Document]) -> None:
    """Write down what documents of purchases and refunds say, as far as it is not there; the caller holds their
    members."""
    purchases = {one.id: one for one in documents if one.kind in facts.PURCHASES}
    returns = [one for one in documents if one.kind == facts.RETURN]
    said, moved = await _read(purchases.values()), await _holders(tx, (one.member_id for one in documents))
    new = await _write_purchases(tx, purchases, said, moved) + await _write_returns(tx, returns, said, moved)
    if new:
        await db.raw(tx).execute(_MARK, [row["member_id"] for row in new], [row["sale_id"] for row in new])


async def _read(documents: Iterable[Document]) -> dict[str, Bought]:
    documents = list(documents)
    paid_by_stored = [one for one in documents if one.kind != facts.ACCRUAL and one.body.get("paid", {}).get("stored")]
    bonus: dict[str, int] = {}
    if paid_by_stored:
        rows = await db.fetch(
            _BONUS, [one.member_id for one in paid_by_stored], [one.id for one in paid_by_stored], list(facts.TAKEN_BY)
        )
        bonus = {row["document_id"]: row["fen"] for row in rows}
    return {one.id: facts.bought(one.kind, one.at, one.body, bonus_fen=bonus.get(one.id, 0)) for one in documents}


async def _write_purchases(
    tx: Tx, documents: dict[str, Document], said: dict[str, Bought], moved: dict[int, int]
) -> list[db.Record]:
    if not documents:
        return []
    who = {row["id"]: row for row in await db.fetch(_WHO, list({one.member_id for one in documents.values()}))}
    zone = settings().timezone
    rows = [
        (
            moved.get(one.member_id, one.member_id),
            one.id,
            one.store_id or "",
            said[one.id].at,
            clock.local_date(said[one.id].at, zone),
            buyer["level_id"],
            buyer["group_id"],
            buyer["key_account"],
            _json(said[one.id].paid),
            _json(said[one.id].lines),
            buyer["owner_id"],
        )
        for one in documents.values()
        if (buyer := who.get(one.member_id))
    ]
    return await db.fetch_in(tx, _PURCHASES, *map(list, zip(*rows, strict=True))) if rows else []


async def _write_returns(
    tx: Tx, documents: Sequence[Document], said: dict[str, Bought], moved: dict[int, int]
) -> list[db.Record]:
    if not documents:
        return []
    told = {one.id: facts.came_back(one.body) for one in documents}
    unlined = [(one.member_id, told[one.id].sale_id) for one in documents if not told[one.id].lines]
    missing = [key for key in unlined if key[1] not in said]
    known = said | await _read((await ledger.find_documents(missing)).values()) if missing else said
    rows = []
    for one in documents:
        back = told[one.id]
        lines = back.lines or (facts.spread(back.fen, known[back.sale_id]) if back.sale_id in known else {})
        holder_id = moved.get(one.member_id, one.member_id)
        rows.append((holder_id, one.id, back.sale_id, one.at, _json(list(lines.items()))))
    return await db.fetch_in(tx, _RETURNS, *map(list, zip(*rows, strict=True)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
