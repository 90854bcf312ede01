"""What tests of one domain at a running server need: a chain, its head office, a member, and books that balance.

A folder takes it by importing all of it into its ``conftest``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, limits
from backend.kernel.config import Settings
from backend.worker import load
from tests.support import wire
from tests.support.members import Phone, register
from tests.support.seed import Chain, seed_chain
from tests.support.server import Server
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

__all__ = [
    "admin",
    "books",
    "chain",
    "fresh_limits",
    "office",
    "phone",
    "settings",
    "worker",
]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings; one test's machine stands for many addresses, so the address is not limited."""
    made = msgspec.structs.replace(settings, rate_anonymous_per_minute=100_000, log_level="warning")
    config.use(made)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server: Server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Head office's browser."""
    async with wire.connected(server.base_url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(office: httpx.AsyncClient, chain: Chain) -> StaffSession:
    return await log_in(office, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client: httpx.AsyncClient, chain: Chain) -> Phone:
    return await register(client)


@pytest_asyncio.fixture(loop_scope="session")
async def books(settings: Settings) -> AsyncIterator[None]:
    """The books balance when the test is over."""
    yield
    assert await findings(settings) == []


@pytest.fixture(scope="session", autouse=True)
def worker() -> None:
    """The handlers and jobs are known, as in a worker."""
    load()


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Every test tries codes from the beginning."""
    limits.forget()
