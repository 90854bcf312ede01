"""The proof of what was counted: every counted day says what the books say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import asyncpg

from . import statements

MAX_FINDINGS = 200
CHECK, TITLE = "coupon_days", "what coupons did on a day that was counted is what the books say"

_DAYS = """
SELECT zone, on_date, max(done) = 1 AS done FROM (
    SELECT zone, on_date, 1 AS done FROM coupon_day_done UNION ALL SELECT DISTINCT zone, on_date, 0 FROM coupon_day
) AS day GROUP BY zone, on_date ORDER BY zone, on_date"""
_KEPT = """
SELECT what, name, template, unit, store_id, plus, minus FROM coupon_day WHERE zone = $1 AND on_date = $2"""

_Key = tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that a counted day says otherwise than the books."""

    what: str


async def audit(url_args: dict[str, object]) -> list[Finding]:
    """Count every counted day again; returns what does not agree (at most 200).

    Reads in one snapshot, day by day, so it may run beside a serving system. Rows of a day that was never counted are
    found as well: nobody reads them, and the count of that day would stumble over them.
    """
    connection = await asyncpg.connect(**url_args, command_timeout=600)
    try:
        return await prove(connection)
    finally:
        await connection.close()


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """``audit`` on a connection of the owner's."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL jit = off")
        return await hold_days(connection)


async def hold_days(connection: asyncpg.Connection) -> list[Finding]:
    """``audit`` in a transaction that is open."""
    found: list[Finding] = []
    for zone, day, done in await connection.fetch(_DAYS):
        kept = _by_key(await connection.fetch(_KEPT, zone, day))
        bounds = statements.bounds(day, day, zone)
        books = _by_key(await connection.fetch(statements.READ, *bounds, None) if done else ())
        found += _differences(zone, day, kept, books)
        if len(found) >= MAX_FINDINGS:
            break
    return found[:MAX_FINDINGS]


def _by_key(rows: Iterable[asyncpg.Record]) -> dict[_Key, tuple[int, int]]:
    """Rows of the statements' query, those of one key added up."""
    found: dict[_Key, tuple[int, int]] = {}
    for *key, plus, minus in rows:
        before = found.get(tuple(key), (0, 0))
        found[tuple(key)] = before[0] + plus, before[1] + minus
    return found


def _differences(
    zone: str, day: date, kept: dict[_Key, tuple[int, int]], books: dict[_Key, tuple[int, int]]
) -> list[Finding]:
    return [
        Finding(f"{' '.join(filter(None, key))} on {day} ({zone}): {kept.get(key)}, books {books.get(key)}")
        for key in sorted(kept.keys() | books.keys())
        if kept.get(key) != books.get(key)
    ]
