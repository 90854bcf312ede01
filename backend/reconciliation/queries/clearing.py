"""What was spent where of value that was recharged elsewhere."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import Flow, Settlement

FLOWS = """
SELECT from_store, to_store, coalesce(sum(fen) FILTER (WHERE part <> 'bonus'), 0)::bigint AS principal_fen,
       coalesce(sum(fen) FILTER (WHERE part = 'bonus'), 0)::bigint AS bonus_fen,
       count(DISTINCT document_id) FILTER (WHERE fen > 0) AS purchases
  FROM clearing_line"""
_FLOWS = f"""{FLOWS}
 WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR from_store = $3 OR to_store = $3)
 GROUP BY from_store, to_store ORDER BY from_store NULLS LAST, to_store NULLS LAST LIMIT $4
"""
MOST_FLOWS = 100_000


async def list_flows(first: date, last: date, *, store_id: str | None = None) -> list[Flow]:
    """By store of the recharge and store of the purchase; only those of one store, if one is named."""
    rows = await db.fetch(_FLOWS, first, last, store_id, MOST_FLOWS)
    return [Flow(**row) for row in rows]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of clearing: of a flow from one store to another, on these days."""

    first: date
    last: date
    from_store: str | None
    to_store: str | None


class FlowLine(msgspec.Struct, frozen=True):
    """What one purchase (or its refund, negative) took of one lot."""

    day: date
    document_id: str
    lot_id: int
    part: str
    fen: int


async def list_flow_lines(wanted: Filter, *, after: tuple[date, str, int] | None, limit: int) -> list[FlowLine]:
    """The lines that a flow is made of, by day, document and lot, from behind that one."""
    rows = await db.fetch(
        "SELECT day, document_id, lot_id, part, fen FROM clearing_line WHERE day BETWEEN $1 AND $2"
        " AND from_store IS NOT DISTINCT FROM $3 AND to_store IS NOT DISTINCT FROM $4"
        " AND ($5::date IS NULL OR (day, document_id, lot_id) > ($5, $6, $7))"
        " ORDER BY day, document_id, lot_id LIMIT $8",
        *(wanted.first, wanted.last, wanted.from_store, wanted.to_store),
        *(after or (None, None, None)),
        limit,
    )
    return [FlowLine(**row) for row in rows]


async def is_counting() -> bool:
    """Whether purchases wait to be counted."""
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM clearing_due) OR EXISTS (SELECT FROM clearing_backfill WHERE NOT done)"
        )
    )


_SETTLEMENT = "SELECT id, from_on, to_on, with_bonus, flows, asked_by, approved_by, at FROM clearing_settlement"
_flows_of = msgspec.json.Decoder(tuple[Flow, ...])


def _settlement(row: db.Record) -> Settlement:
    return Settlement(**dict(row) | {"flows": _flows_of.decode(row["flows"])})


async def find_settlement(settlement_id: str) -> Settlement | None:
    """A settlement, or None."""
    row = await db.fetchrow(f"{_SETTLEMENT} WHERE id = $1", settlement_id)
    return _settlement(row) if row else None


async def list_settlements(*, before: Place | None, limit: int) -> list[Settlement]:
    """Settlements, the last one first, from behind that place."""
    rows = await db.fetch(
        f"{_SETTLEMENT} WHERE ($1::timestamptz IS NULL OR (at, id) < ($1, $2)) ORDER BY at DESC, id DESC LIMIT $3",
        *(before or (None, None)),
        limit,
    )
    return [_settlement(row) for row in rows]
