"""A chain, its people, and two tills."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.pos import Till
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in


@pytest.fixture
def till(chain: Chain) -> Till:
    """A till of the first store."""
    return chain.till


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office: httpx.AsyncClient, chain: Chain) -> StaffSession:
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def elsewhere(office: httpx.AsyncClient, chain: Chain) -> StaffSession:
    return await log_in(office, chain, "manager-S2")
