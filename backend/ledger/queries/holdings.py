"""What a member holds on accounts with a reference (coupons, for one)."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import db
from backend.kernel.batching import Batcher

from ..types import Holding

# Through the open lots: however many coupons a member used long ago, none of them is in the index that is read.
HOLDINGS = """
SELECT l.member_id, l.kind, l.ref, a.unit, a.balance, l.lot_id, l.source, l.expires_on
  FROM ledger_lot l
  JOIN ledger_account a ON a.member_id = l.member_id AND a.kind = l.kind AND a.ref = l.ref
 WHERE l.open AND l.ref <> ''"""
"""Everybody's accounts with a reference that hold something, for a query of somebody's: one row an open lot."""

MOST_REFS = 500
"""Of one member and kind in one answer."""

HOLDINGS_OF = f"{HOLDINGS} AND l.member_id = wanted.member_id AND l.kind = wanted.kind ORDER BY l.expires_on, l.lot_id"
"""Those of ``wanted``, a row with ``member_id`` and ``kind``; what ends soonest first."""

LIST_REFS = f"""
SELECT wanted.nth, held.*
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}) WITH ORDINALITY AS wanted (member_id, kind, nth)
 CROSS JOIN LATERAL ({HOLDINGS_OF} LIMIT $3) AS held
 ORDER BY wanted.nth, held.expires_on, held.lot_id
"""

FIND_REFS = f"""
SELECT a.member_id, a.kind, a.ref, a.unit, a.balance, l.lot_id, l.source, l.expires_on
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}, {db.given(3, "text")}) AS wanted (member_id, kind, ref)
  JOIN ledger_account a ON a.member_id = wanted.member_id AND a.kind = wanted.kind AND a.ref = wanted.ref
  LEFT JOIN LATERAL (SELECT lot_id, source, expires_on FROM ledger_lot l
                      WHERE l.member_id = a.member_id AND l.kind = a.kind AND l.ref = a.ref AND l.open
                      ORDER BY l.expires_on, l.lot_id LIMIT 1) AS l ON true
"""


def holding_of(row: db.Record) -> Holding:
    """A row of ``HOLDINGS``, whatever else the query asked for."""
    return Holding(*(row[name] for name in Holding.__struct_fields__))


async def _list_refs(wanted: list[tuple[int, str]]) -> list[list[Holding] | BaseException]:
    lists: list[list[Holding]] = [[] for _ in wanted]
    rows = await db.fetch(LIST_REFS, [member_id for member_id, _ in wanted], [kind for _, kind in wanted], MOST_REFS)
    for row in rows:
        lists[row["nth"] - 1].append(holding_of(row))
    return [*lists]


async def _find_refs(wanted: list[tuple[int, str, Sequence[str]]]) -> list[dict[str, Holding | None] | BaseException]:
    names = [(member_id, kind, ref) for member_id, kind, refs in wanted for ref in refs]
    rows = await db.fetch(FIND_REFS, *(list(column) for column in zip(*names, strict=True))) if names else []
    found = {
        (row["member_id"], row["kind"], row["ref"]): None if row["lot_id"] is None else holding_of(row) for row in rows
    }
    return [
        {ref: found[member_id, kind, ref] for ref in refs if (member_id, kind, ref) in found}
        for member_id, kind, refs in wanted
    ]


_list_refs_batcher: Batcher[tuple[int, str], list[Holding]] = Batcher(_list_refs, max_size=64, lanes=2)
_find_refs_batcher: Batcher[tuple[int, str, Sequence[str]], dict[str, Holding | None]] = Batcher(
    _find_refs, max_size=64, lanes=2
)


async def list_refs(member_id: int, kind: str) -> list[Holding]:
    """What a member holds on accounts of a kind with references, what ends soonest first; at most ``MOST_REFS``.

    What has expired is among it until it is swept. Concurrent calls share one query.
    """
    return await _list_refs_batcher.submit((member_id, kind))


async def find_refs(member_id: int, kind: str, refs: Sequence[str]) -> dict[str, Holding | None]:
    """What a member holds on accounts of a kind with these references: None where nothing is left, unknown ones absent.

    Concurrent calls share one query.
    """
    return await _find_refs_batcher.submit((member_id, kind, refs))
