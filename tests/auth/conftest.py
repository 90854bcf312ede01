"""A chain with tills and staff for every module here."""

from __future__ import annotations

import pytest_asyncio

from tests.support.seed import Chain, seed_chain


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    return await seed_chain(server.base_url)
