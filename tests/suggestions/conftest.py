"""A chain, its head office, and the people who read its boxes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.staff import StaffSession
from tests.support.suggestions import hire


@dataclass
class Reader:
    """Somebody of the staff."""

    id: str
    session: StaffSession


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reader(office, chain, admin) -> Reader:
    """A clerk of the first store."""
    return Reader(*await hire(office, chain, admin, "reader", "clerk", "S1"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(office, chain, admin) -> Reader:
    """A clerk of the second store."""
    return Reader(*await hire(office, chain, admin, "other", "clerk", "S2"))
