"""A difference between WeChat's bill and the books, and a settlement, for tests that need one."""

from __future__ import annotations

from datetime import date

from backend.kernel import clock, db
from backend.reconciliation.commands import judging

_LINE = """
INSERT INTO reconciliation_item (kind, number, day, theirs_fen, theirs_at, transaction_id, fee)
VALUES ('payment', $1, $2, 100, $3, '4200001', 0)"""


async def make_difference(number: str = "NOBODYS-1") -> str:
    """A payment that only WeChat knows; returns the difference's id."""
    day = date(2026, 1, 2)
    async with db.transaction() as tx:
        await db.raw(tx).execute(_LINE, number, day, clock.now())
    await judging.judge_day(day, clock.now())
    return str(await db.fetchval("SELECT id FROM reconciliation_difference WHERE number = $1", number))


async def make_settlement() -> str:
    """A settlement between two stores that nobody works at; returns its id."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO clearing_settlement (id, from_on, to_on, with_bonus, flows, asked_by, approved_by, at)"
            " VALUES ('Z-TEST', $1, $1, false, '[]', 1, 2, $2)",
            date(2026, 1, 2),
            clock.now(),
        )
    return "Z-TEST"
