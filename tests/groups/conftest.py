"""A chain, two people of head office, and members."""

from __future__ import annotations

import pytest_asyncio

from tests.support.merging import another
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office, chain, admin) -> StaffSession:
    """Another person of head office, who approves."""
    return await another(office, chain, admin)
