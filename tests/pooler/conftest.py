"""The whole server behind PgBouncer in transaction mode; where there is none, its tests are skipped in one line."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from backend.engines.embedded import Engines
from backend.kernel import config
from backend.kernel.config import Settings
from tests.support import pgbouncer, wire
from tests.support.members import Phone, register
from tests.support.pgbouncer import Pooler
from tests.support.seed import Chain, seed_chain

SIZE = 4
"""Connections to PostgreSQL; a server process alone asks for up to 16."""

NO_PGBOUNCER = "no `pgbouncer` on this machine: the server is not tried behind a pooler"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say it in one line that these tests were skipped, not in one for each."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and NO_PGBOUNCER in report.longrepr[2]:
        report.longrepr = (str(item.path.parent), None, NO_PGBOUNCER)  # type: ignore[assignment]
    return report


@pytest.fixture(scope="session")
def pooler(engines: Engines) -> Iterator[Pooler]:
    """A PgBouncer with few connections to PostgreSQL."""
    if pgbouncer.PROGRAM is None:
        pytest.skip(NO_PGBOUNCER)
    directory = Path(tempfile.mkdtemp(prefix="hy-pool-", dir="/tmp"))
    made = Pooler(engines, directory, size=SIZE)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def settings(settings: Settings, pooler: Pooler) -> Settings:
    """The module's settings with the pooler between: only the worker has a way past it."""
    made = msgspec.structs.replace(
        settings,
        database_url=pooler.url(settings.database_url),
        direct_database_url=settings.database_url,
        statement_cache_size=1024 if pgbouncer.carries_prepared_statements() else 0,
        rate_anonymous_per_minute=100_000,
        log_level="warning",
    )
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
