"""Plans handed to a LedgerWriter, and what they left."""

from __future__ import annotations

import asyncio

import asyncpg

from backend.kernel import db
from backend.kernel.config import Settings
from backend.ledger.plans import Plan
from backend.ledger.types import Posted
from backend.ledger.writer import LedgerWriter
from tests.support import kept


async def post_all(writer: LedgerWriter, wanted: list[Plan]) -> list[Posted | BaseException]:
    """Hand them in at once: an idle writer posts them as one batch."""
    return await asyncio.gather(*(writer.post(item) for item in wanted), return_exceptions=True)


async def balance(member_id: int) -> int:
    """The sum of all the member's accounts."""
    return await db.fetchval(
        "SELECT coalesce(sum(balance), 0)::bigint FROM ledger_account WHERE member_id = $1", member_id
    )


async def somebody_waits(settings: Settings, count: int = 1) -> None:
    """Return when that many writers' connections wait for a lock."""
    postgres: asyncpg.Connection = await kept.connection(settings, "postgres")
    async with asyncio.timeout(60):
        while (
            await postgres.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'huiyuan-ledger'"
                " AND wait_event_type = 'Lock' AND datname = current_database()"
            )
            < count
        ):
            await asyncio.sleep(0.002)
