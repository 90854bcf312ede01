"""The chain and its members, for the races."""

from __future__ import annotations

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config
from backend.kernel.config import Settings
from tests.support import wire
from tests.support.members import Phone, register
from tests.support.seed import Chain, seed_chain


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings; one test's machine stands for many addresses, so the address is not limited."""
    made = msgspec.structs.replace(settings, rate_anonymous_per_minute=100_000, log_level="warning")
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def client(server):
    """An HTTP client with a connection for each of many requests at once."""
    async with wire.connected(server.base_url, timeout=60, connections=64) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    """A small chain in this module's database."""
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client, chain) -> Phone:
    """A newly registered member."""
    return await register(client)
