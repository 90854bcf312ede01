"""What members bought in a period, what came back of it, and what that comes to: read page by page, all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime

import msgspec

from backend.kernel import db

from ..rules.accrual import Sums
from ..types import Applied, Line, Part, Purchase

PAGE = 1_000
"""Purchases of each member in one page: so much is in memory at once, however much somebody bought."""

_PURCHASES = """
SELECT p.* FROM unnest($1::bigint[], $2::date[], $3::timestamptz[], $4::text[]) AS w (id, day, at, sale_id)
 CROSS JOIN LATERAL (SELECT member_id, sale_id, store_id, at, day, level, group_id, key_account, paid, lines
                       FROM rebate_purchase WHERE member_id = w.id AND day BETWEEN w.day AND $5
                        AND (day, at, sale_id) > (w.day, w.at, w.sale_id)
                      ORDER BY day, at, sale_id LIMIT $6) AS p
 ORDER BY p.member_id, p.day, p.at, p.sale_id"""
_RETURNS = """
SELECT r.member_id, r.sale_id, r.lines FROM unnest($1::bigint[], $2::text[]) AS w (member_id, sale_id)
  JOIN rebate_return r ON r.member_id = w.member_id AND r.sale_id = w.sale_id"""

_lines = msgspec.json.Decoder(tuple[Line, ...])
_paid = msgspec.json.Decoder(dict[str, int])
_back = msgspec.json.Decoder(list[tuple[int, int]])

Fetch = Callable[..., Awaitable[list[db.Record]]]
"""``db.fetch``, or the same of a transaction or a connection."""

Place = tuple[date, datetime, str]
Bought = tuple[int, Purchase, dict[int, int]]
"""Whose a purchase is, the purchase, and what came back of it so far, by line."""


async def accrue(
    fetch: Fetch, schemes: Sequence[Applied], member_ids: Sequence[int], first: date, last: date, *, most_lines: int = 0
) -> dict[int, tuple[Part, ...]]:
    """What purchases of these days come to under the schemes, by member, as ``rules.accrual.accrue`` says of each."""
    sums = {member_id: Sums(schemes, most_lines) for member_id in member_ids}
    async for page in pages(fetch, member_ids, first, last):
        for member_id, purchase, back in page:
            sums[member_id].add(purchase, back)
    return {member_id: one.parts() for member_id, one in sums.items()}


async def pages(fetch: Fetch, member_ids: Sequence[int], first: date, last: date) -> AsyncIterator[list[Bought]]:
    """All purchases of these days, each member's in the order of their times."""
    start = (first, datetime.min.replace(tzinfo=UTC), "")
    places: dict[int, Place] = dict.fromkeys(member_ids, start)
    while places:
        days, instants, sales = (list(column) for column in zip(*places.values(), strict=True))
        rows = await fetch(_PURCHASES, list(places), days, instants, sales, last, PAGE)
        back = await _came_back(fetch, rows)
        yield [(row["member_id"], _purchase(row), back.get((row["member_id"], row["sale_id"]), {})) for row in rows]
        places = _after(rows)


def _after(rows: Sequence[db.Record]) -> dict[int, Place]:
    """Where to go on with those whose purchases filled the page."""
    counts: dict[int, int] = {}
    ends: dict[int, Place] = {}
    for row in rows:
        counts[row["member_id"]] = counts.get(row["member_id"], 0) + 1
        ends[row["member_id"]] = (row["day"], row["at"], row["sale_id"])
    return {member_id: ends[member_id] for member_id, count in counts.items() if count == PAGE}


async def _came_back(fetch: Fetch, rows: Sequence[db.Record]) -> dict[tuple[int, str], dict[int, int]]:
    found: dict[tuple[int, str], dict[int, int]] = {}
    if rows:
        for row in await fetch(_RETURNS, [row["member_id"] for row in rows], [row["sale_id"] for row in rows]):
            lines = found.setdefault((row["member_id"], row["sale_id"]), {})
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
