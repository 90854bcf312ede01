"""A chain, its head office, a second person there, and members."""

import pytest_asyncio

from tests.support.levels import levels  # noqa: F401 - a fixture
from tests.support.merging import another
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office, chain, admin) -> StaffSession:
    """Somebody who approves what the other asked for."""
    return await another(office, chain, admin)
