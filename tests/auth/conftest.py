"""A chain with tills and staff for every module here."""

from __future__ import annotations

import msgspec
import pytest_asyncio

from backend.kernel import config, limits
from tests.support.seed import Chain, seed_chain


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    # These modules log in more often than one address may.
    config.use(msgspec.structs.replace(server.settings, rate_login_per_minute=10_000))
    limits.forget()
    return await seed_chain(server.base_url)
