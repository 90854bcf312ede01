"""A chain, its staff, and members; no plan of one test runs in the next."""

from __future__ import annotations

import pytest_asyncio

from backend.kernel import db
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The manager of store S1."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(loop_scope="session")
async def quiet(database) -> None:
    """No plan of one test runs in the next, and nobody has a birthday."""
    await db.fetchval("UPDATE care_plan SET state = 'ended'")
    await db.fetchval("UPDATE member SET birthday = NULL")
