"""The chain and its members, for the journeys."""

from __future__ import annotations

import pytest_asyncio

from tests.support.members import Phone, register
from tests.support.seed import Chain, seed_chain


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    """A small chain in this module's database."""
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client, chain) -> Phone:
    """A newly registered member."""
    return await register(client)
