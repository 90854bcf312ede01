"""What members bought in a period, and what came back of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx

from ..types import Back, Line, Purchase

MOST = 20_000
"""Purchases of one member in one period that count: the first ones."""

_PURCHASES = """
SELECT p.* FROM unnest($1::bigint[]) AS w (id)
 CROSS JOIN LATERAL (SELECT member_id, sale_id, store_id, at, day, level, group_id, key_account, paid, lines
                       FROM rebate_purchase WHERE member_id = w.id AND day BETWEEN $2 AND $3
                      ORDER BY day, at, sale_id LIMIT $4) AS p
 ORDER BY p.member_id, p.day, p.at, p.sale_id"""
_RETURNS = """
SELECT r.member_id, r.sale_id, r.lines FROM rebate_purchase p
  JOIN rebate_return r ON r.member_id = p.member_id AND r.sale_id = p.sale_id
 WHERE p.member_id = ANY($1::bigint[]) AND p.day BETWEEN $2 AND $3"""

_lines = msgspec.json.Decoder(tuple[Line, ...])
_paid = msgspec.json.Decoder(dict[str, int])
_back = msgspec.json.Decoder(list[tuple[int, int]])


class Facts(msgspec.Struct, frozen=True):
    """A member's purchases, in the order of their times, and what came back of them so far."""

    purchases: list[Purchase]
    back: Back


async def load(tx: Tx | None, member_ids: Sequence[int], first: date, last: date) -> dict[int, Facts]:
    """The facts of the purchases of these days, by member; who bought nothing is absent."""
    return await load_by(db.fetch if tx is None else partial(db.fetch_in, tx), member_ids, first, last)


async def load_by(
    fetch: Callable[..., Awaitable[list[db.Record]]], member_ids: Sequence[int], first: date, last: date
) -> dict[int, Facts]:
    """``load`` through any connection."""
    found: dict[int, Facts] = {}
    for row in await fetch(_PURCHASES, list(member_ids), first, last, MOST):
        facts = found.setdefault(row["member_id"], Facts([], {}))
        facts.purchases.append(_purchase(row))
    if found:
        for row in await fetch(_RETURNS, list(found), first, last):
            lines = found[row["member_id"]].back.setdefault(row["sale_id"], {})
            for line_no, fen in _back.decode(row["lines"]):
                lines[line_no] = lines.get(line_no, 0) + fen
    return found


def _purchase(row: db.Record) -> Purchase:
    return Purchase(
        row["sale_id"],
        row["at"],
        row["day"],
        row["store_id"],
        _paid.decode(row["paid"]),
        _lines.decode(row["lines"]),
        row["level"],
        row["group_id"],
        row["key_account"],
    )
