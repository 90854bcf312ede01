"""The proof of what was counted: every counted day says what the books say of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import asyncpg

from backend.kernel import clock
from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof

from . import statements

CHECK, TITLE = "coupon_days", "what coupons did on a day that was counted is what the books say"

_DAYS = """
SELECT zone, on_date, max(done) = 1 AS done FROM (
    SELECT zone, on_date, 1 AS done FROM coupon_day_done UNION ALL SELECT DISTINCT zone, on_date, 0 FROM coupon_day
) AS day GROUP BY zone, on_date ORDER BY zone, on_date"""
_KEPT = """
SELECT what, name, template, unit, store_id, plus, minus FROM coupon_day WHERE zone = $1 AND on_date = $2"""

_Key = tuple[str, ...]


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Count every counted day again, in a transaction that is open.

    Rows of a day that was never counted are found as well: nobody reads them, and the count of that day would stumble
    over them.
    """
    found: list[Finding] = []
    for zone, day, done in await connection.fetch(_DAYS):
        kept = _by_key(await connection.fetch(_KEPT, zone, day))
        bounds = clock.span(day, day, zone)
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
        Finding(CHECK, 0, f"{' '.join(filter(None, key))} on {day} ({zone}): {kept.get(key)}, books {books.get(key)}")
        for key in sorted(kept.keys() | books.keys())
        if kept.get(key) != books.get(key)
    ]


PROOF = Proof("coupons' days", {CHECK: TITLE}, prove)
