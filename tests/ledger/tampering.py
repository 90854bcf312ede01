"""Falsifying the books as somebody who owns the machine."""

from __future__ import annotations

from backend.kernel.config import Settings
from tests.support.books import connected


async def tamper(settings: Settings, member_id: int, *statements: str) -> None:
    """Run the statements (``$1`` is the member) as somebody who owns the machine: no trigger, no rights."""
    async with connected(settings, "postgres") as postgres:
        await postgres.execute("SET session_replication_role = replica")
        for statement in statements:
            assert await postgres.fetch(statement + " RETURNING 1", member_id), statement
