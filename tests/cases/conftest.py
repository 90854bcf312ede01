"""A chain, its head office, and the managers of its two stores."""

from __future__ import annotations

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The first store's."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def neighbour(office, chain) -> StaffSession:
    """The second store's."""
    return await log_in(office, chain, "manager-S2")
