"""What members bought in a period, what came back of it, and what that comes to: read page by page, all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime

import msgspec

from backend.kernel import db

from ..rules.accrual import Sums
from ..types import Applied, Line, Part, Purchase, Whose

PAGE = 10_000
"""Purchases in one page, of all members that are asked for together: so much is in memory at once, however much
somebody bought."""

MOST_OF_ONE = 1_000
"""Of these one member's at most."""

_FIELDS = "member_id, sale_id, store_id, at, day, level, group_id, key_account, paid, lines, owner_id"
_PAGE_OF = f"""
SELECT {_FIELDS} FROM rebate_purchase p
 WHERE {{whose}} AND p.day BETWEEN w.day AND $5 AND (p.day, p.at, p.sale_id) > (w.day, w.at, w.sale_id)
 ORDER BY p.day, p.at, p.sale_id LIMIT $6"""  # noqa: S608 - put together of constants
_PURCHASES = """
SELECT w.id, p.* FROM unnest($1::bigint[], $2::date[], $3::timestamptz[], $4::text[]) AS w (id, day, at, sale_id)
 CROSS JOIN LATERAL ({page}) AS p ORDER BY w.id, p.day, p.at, p.sale_id"""
OWN = _PURCHASES.format(page=_PAGE_OF.format(whose="p.member_id = w.id"))
"""A page of purchases of each member's own."""

_PEOPLES = _PAGE_OF.format(whose="p.owner_id = w.id AND p.member_id <> w.id")
BOTH = _PURCHASES.format(
    page=f"""
SELECT * FROM (({_PAGE_OF.format(whose="p.member_id = w.id")}) UNION ALL ({_PEOPLES})) AS p
 ORDER BY p.day, p.at, p.sale_id LIMIT $6"""  # noqa: S608 - put together of constants
)
"""The same with those of the groups that each owns."""

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
    peoples = any(scheme.terms.for_owner for scheme in schemes)
    async for page in pages(fetch, member_ids, first, last, peoples=peoples):
        for member_id, purchase, back in page:
            sums[member_id].add(purchase, back)
    return {member_id: one.parts() for member_id, one in sums.items()}


async def accrue_first(
    fetch: Fetch, schemes: Sequence[Applied], member_id: int, first: date, last: date, *, most_pages: int
) -> tuple[tuple[Part, ...], date | None]:
    """The same of one member's purchases as far as so many pages go; and on which day that ends, or None for all.

    For who waits for it: the owner of a large group answers for all that its people bought.
    """
    sums, read, until = Sums(schemes, 0), 0, first
    peoples = any(scheme.terms.for_owner for scheme in schemes)
    async with aclosing(pages(fetch, [member_id], first, last, peoples=peoples)) as found:
        async for page in found:
            if page and read == most_pages:
                return sums.parts(), until
            for _, purchase, back in page:
                sums.add(purchase, back)
                until = purchase.on
            read += 1
    return sums.parts(), None


async def pages(
    fetch: Fetch, member_ids: Sequence[int], first: date, last: date, *, peoples: bool
) -> AsyncGenerator[list[Bought]]:
    """All purchases of these days, each member's in the order of their times; with ``peoples`` also those of the people
    of groups that a member owns."""
    start = (first, datetime.min.replace(tzinfo=UTC), "")
    places: dict[int, Place] = dict.fromkeys(member_ids, start)
    while places:
        each = max(1, min(MOST_OF_ONE, PAGE // len(places)))
        days, instants, sales = (list(column) for column in zip(*places.values(), strict=True))
        rows = await fetch(BOTH if peoples else OWN, list(places), days, instants, sales, last, each)
        back = await _came_back(fetch, rows)
        yield [(row["id"], _purchase(row), back.get((row["member_id"], row["sale_id"]), {})) for row in rows]
        places = _after(rows, each)


def _after(rows: Sequence[db.Record], each: int) -> dict[int, Place]:
    """Where to go on with those whose purchases filled the page."""
    counts: dict[int, int] = {}
    ends: dict[int, Place] = {}
    for row in rows:
        counts[row["id"]] = counts.get(row["id"], 0) + 1
        ends[row["id"]] = (row["day"], row["at"], row["sale_id"])
    return {member_id: ends[member_id] for member_id, count in counts.items() if count == each}


async def _came_back(fetch: Fetch, rows: Sequence[db.Record]) -> dict[tuple[int, str], dict[int, int]]:
    found: dict[tuple[int, str], dict[int, int]] = {}
    if bought := sorted({(row["member_id"], row["sale_id"]) for row in rows}):
        for row in await fetch(_RETURNS, *map(list, zip(*bought, strict=True))):
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
        _whose(row),
    )


def _whose(row: db.Record) -> Whose:
    if row["id"] != row["member_id"]:
        return Whose.PEOPLE
    return Whose.OWN if row["owner_id"] in (None, row["member_id"]) else Whose.SHARED
