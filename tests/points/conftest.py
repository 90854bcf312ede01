"""A chain, its head office, and members; no rule of one test earns in the next."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.kernel import db
from backend.points import queries
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_rule(request) -> AsyncIterator[None]:
    """Rules of a test are over when it is."""
    yield
    if "chain" in request.fixturenames:
        async with db.transaction() as tx:
            await db.raw(tx).execute("UPDATE points_rule SET state = 'ended'")
            await db.raw(tx).execute("UPDATE points_rule_version SET until_at = from_at")
            await db.raw(tx).execute("UPDATE points_epoch SET value = value + 1")
        queries.forget_rules()
