"""Facts: what was bought and what came back, each written down once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.members import queries as members

from ..rules import facts

_PURCHASES = """
INSERT INTO lifecycle_purchase (member_id, sale_id, kind, at, spent_fen, points)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
    ON CONFLICT (member_id, sale_id) DO NOTHING RETURNING member_id, at"""
_RETURNS = """
INSERT INTO lifecycle_return (member_id, refund_id, sale_id, at, fen, points)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
    ON CONFLICT (member_id, refund_id) DO NOTHING RETURNING member_id, at"""
# What is heard of behind the base's back is judged at once, not only counted.
_JUDGE = """
UPDATE lifecycle_standing s SET judge = true FROM unnest($1::bigint[], $2::timestamptz[]) AS w (id, at)
 WHERE s.member_id = w.id AND s.base_at >= w.at"""


async def note_purchase(tx: Tx, member_id: int, sale_id: str, spent_fen: int) -> None:
    """Write down a purchase as its document says; ``spent_fen`` where there is none. The caller holds the member."""
    document = (await ledger.find_documents_of([sale_id])).get(sale_id)
    if document is None:
        await _insert(tx, _PURCHASES, [(member_id, sale_id, "sale", clock.now(), spent_fen, 0)])
    else:
        await write_facts(tx, [document])


async def note_return(tx: Tx, member_id: int, sale_id: str, refund_id: str, fen: int) -> None:
    """Write down what came back of a purchase, as ``note_purchase``."""
    document = (await ledger.find_documents_of([refund_id])).get(refund_id)
    if document is None:
        await _insert(tx, _RETURNS, [(member_id, refund_id, sale_id, clock.now(), fen, 0)])
    else:
        await write_facts(tx, [document])


async def write_facts(tx: Tx, documents: Sequence[Document]) -> None:
    """Write down what documents of purchases and refunds say, as far as it is not there.

    What is said of who was merged into another is the other's.
    """
    bought, back = [], []
    now = await members.current_ids({one.member_id for one in documents})
    for one in documents:
        member_id = now.get(one.member_id, one.member_id)
        if one.kind == facts.RETURN:
            said = facts.came_back(one.body)
            back.append((member_id, one.id, said.sale_id, one.at, said.fen, said.points))
        else:
            found = facts.bought(one.kind, one.at, one.body, one.progress)
            bought.append((member_id, one.id, one.kind, found.at, found.spent_fen, found.points))
    await _insert(tx, _PURCHASES, bought)
    await _insert(tx, _RETURNS, back)


async def _insert(tx: Tx, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    new = await db.fetch_in(tx, sql, *(list(column) for column in zip(*rows, strict=True)))
    if new:
        await db.raw(tx).execute(_JUDGE, [row["member_id"] for row in new], _instants(new))


def _instants(rows: Sequence[db.Record]) -> list[datetime]:
    return [row["at"] for row in rows]
