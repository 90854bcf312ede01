"""The migrations of auth, members and mall, down and up again, on a database of their own."""

from __future__ import annotations

import asyncpg
import pytest

from backend.cli.migrate import migrate
from backend.kernel import db


async def relations(settings, prefix: str) -> set[str]:
    """Tables, indexes and constraints of a domain."""
    connection = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        rows = await connection.fetch(
            "SELECT relname::text AS name FROM pg_class WHERE relname ~ $1 AND relnamespace = 'public'::regnamespace"
            " UNION SELECT conname::text FROM pg_constraint WHERE conrelid::regclass::text ~ $1",
            f"^{prefix}",
        )
    finally:
        await connection.close()
    return {row["name"] for row in rows}


@pytest.mark.parametrize(("app", "prefix"), [("mall", "mall_"), ("members", "member"), ("auth", "auth_")])
async def test_down_takes_everything_away_and_up_brings_it_back(settings, app, prefix):
    before = await relations(settings, prefix)
    assert before

    await migrate(settings, to=f"{app}.zero")
    assert await relations(settings, prefix) == set()
    await migrate(settings)

    assert await relations(settings, prefix) == before
