"""A chain with goods on its shelves, its head office and managers, and a member."""

from __future__ import annotations

import pytest_asyncio

from tests.support.levels import levels  # noqa: F401 - a fixture, by name
from tests.support.mall import open_mall
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(chain: Chain) -> None:
    """Both stores sell online, so that members have addresses and articles."""
    await open_mall("S1", "S2")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The manager of the store where gifts are fetched."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stranger(office, chain) -> StaffSession:
    """The manager of the other store."""
    return await log_in(office, chain, "manager-S2")
