"""Lots: a member's, and everybody's that are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel import db
from backend.kernel.db import Tx

from ..types import Lot


async def list_open_lots(member_id: int, *kinds: str, limit: int = 1000) -> list[Lot]:
    """The lots accounts are made of, in the order they are spent (expired ones too, until they are swept)."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND kind = ANY($2) AND open ORDER BY rank, expires_on, lot_id LIMIT $3",
        member_id,
        kinds,
        limit,
    )
    return [Lot(*row) for row in rows]


async def open_lots_in(tx: Tx, member_id: int, kinds: Sequence[str]) -> list[tuple[Lot, int]]:
    """All lots that accounts without a reference are made of, each with its rank, in the order they are spent.

    As the open transaction sees them: hold the books, and they stay so.
    """
    rows = await db.fetch_in(
        tx,
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on, rank FROM ledger_lot"
        " WHERE member_id = $1 AND kind = ANY($2) AND ref = '' AND open ORDER BY rank, expires_on, lot_id",
        member_id,
        list(kinds),
    )
    return [(Lot(*tuple(row)[:9]), row["rank"]) for row in rows]


async def list_lots(member_id: int, lot_ids: Sequence[int]) -> dict[int, Lot]:
    """These lots of a member, open or not, by id."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND lot_id = ANY($2)",
        member_id,
        list(lot_ids),
    )
    return {row["lot_id"]: Lot(*row) for row in rows}


Cursor = tuple[date, int]
"""A day and a member: where a list of what is due goes on."""

BEGINNING: Cursor = (date.min, 0)


async def list_expired_lots(kinds: Sequence[str], on: date, *, after: Cursor = BEGINNING, limit: int) -> list[Cursor]:
    """The last day and the member of each open lot of these kinds that ended before ``on``, from beyond ``after``."""
    rows = await db.fetch(
        "SELECT expires_on, member_id FROM ledger_lot"
        # In this form only the index by expiry fits; by account the planner would look at every open lot.
        " WHERE open AND expires_on < $1 AND (expires_on, member_id) > ($2, $3) AND (kind = ANY($4)) IS TRUE"
        " ORDER BY expires_on, member_id LIMIT $5",
        on,
        *after,
        list(kinds),
        limit,
    )
    return [(row[0], row[1]) for row in rows]


async def list_expiring(kind: str, on: date, *, after: int, limit: int) -> list[tuple[int, int]]:
    """Whose open lots of a kind have that last day, and how much is left in them; by member, from above ``after``."""
    rows = await db.fetch(
        "SELECT member_id, sum(remaining)::bigint FROM ledger_lot"
        " WHERE open AND expires_on = $1 AND member_id > $2 AND (kind = $3) IS TRUE"
        " GROUP BY member_id ORDER BY member_id LIMIT $4",
        on,
        after,
        kind,
        limit,
    )
    return [(row[0], row[1]) for row in rows]


async def list_mature_lots(on: date, *, after: Cursor = BEGINNING, limit: int) -> list[Cursor]:
    """The day and the member of each open pending lot that is available by ``on``, from beyond ``after``."""
    rows = await db.fetch(
        "SELECT matures_on, member_id FROM ledger_lot"
        " WHERE open AND matures_on <= $1 AND (matures_on, member_id) > ($2, $3)"
        " AND (kind = 'points_pending') IS TRUE ORDER BY matures_on, member_id LIMIT $4",
        on,
        *after,
        limit,
    )
    return [(row[0], row[1]) for row in rows]


async def list_lots_of(member_id: int, source: str) -> list[Lot]:
    """Every lot that a document gave a member, in the order they were issued."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND source = $2 ORDER BY lot_id",
        member_id,
        source,
    )
    return [Lot(*row) for row in rows]


async def open_lots_of_in(tx: Tx, member_id: int, source: str) -> list[tuple[Lot, int]]:
    """What is left of what a document gave: each open lot with its rank, in the order they are spent."""
    rows = await db.fetch_in(
        tx,
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on, rank FROM ledger_lot"
        " WHERE member_id = $1 AND source = $2 AND open ORDER BY rank, expires_on, lot_id",
        member_id,
        source,
    )
    return [(Lot(*tuple(row)[:9]), row["rank"]) for row in rows]


async def net_moves_in(
    tx: Tx, member_id: int, document_id: str, kinds: Sequence[str]
) -> tuple[int | None, list[tuple[Lot, int, int]]]:
    """What transfers of these kinds about a document moved of each lot together, each with its rank, in spending order;
    before it the first of these transfers."""
    rows = await db.fetch_in(tx, _NET_MOVES, member_id, document_id, list(kinds))
    first = min((row["first"] for row in rows), default=None)
    return first, [(Lot(*tuple(row)[:9]), row["rank"], row["net"]) for row in rows]


_NET_MOVES = """
SELECT l.lot_id, l.kind, l.ref, l.part, l.source, l.issued, l.remaining, l.expires_on, l.matures_on, l.rank, m.net,
       m.first
  FROM (SELECT m.lot_id, sum(m.amount)::bigint AS net, min(t.seq) AS first
          FROM ledger_transfer t JOIN ledger_lot_move m ON m.member_id = $1 AND m.seq = t.seq
         WHERE t.member_id = $1 AND t.document_id = $2 AND t.kind = ANY($3) GROUP BY m.lot_id) AS m
  JOIN ledger_lot l ON l.member_id = $1 AND l.lot_id = m.lot_id
 ORDER BY l.rank, l.expires_on, l.lot_id
"""

_MOVES = """
SELECT t.seq, l.lot_id, l.kind, l.ref, l.part, l.source, l.issued, l.remaining, l.expires_on, l.matures_on, m.amount
  FROM (SELECT seq FROM ledger_transfer
         WHERE member_id = $1 AND document_id = $2 AND kind = $3 ORDER BY seq LIMIT 1) AS t
  LEFT JOIN ledger_lot_move m ON m.member_id = $1 AND m.seq = t.seq
  LEFT JOIN ledger_lot l ON l.member_id = $1 AND l.lot_id = m.lot_id
 ORDER BY l.rank, l.expires_on, l.lot_id
"""


async def find_moves(member_id: int, document_id: str, kind: str) -> tuple[int | None, list[tuple[Lot, int]]]:
    """A document's first transfer of that kind, and the lots it moved with the signed amounts, in spending order."""
    rows = await db.fetch(_MOVES, member_id, document_id, kind)
    return (rows[0][0] if rows else None), [(Lot(*row[1:10]), row[10]) for row in rows if row[1] is not None]
