"""A chain, its staff, and members."""

from __future__ import annotations

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The manager of store S1."""
    return await log_in(office, chain, "manager-S1")
