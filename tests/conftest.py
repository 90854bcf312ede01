"""Fixtures of every test: real engines once a session, a fresh copy of the migrated database for every module."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import hypothesis
import pytest
import pytest_asyncio

from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.kernel import clock as kernel_clock
from backend.kernel import config
from backend.kernel.config import Settings
from tests.support.server import Server

TEMPLATE = "huiyuan_template"

# How long one example takes says how busy the machine is, not whether the property holds.
# The same examples every time: a red run is a change's doing.
hypothesis.settings.register_profile("huiyuan", deadline=None, derandomize=True)
hypothesis.settings.load_profile("huiyuan")


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """PostgreSQL and Valkey for this session, with the template database migrated; they end with this process."""
    from backend.cli.migrate import migrate

    data = Path(tempfile.mkdtemp(prefix="huiyuan-test-", dir="/tmp"))
    running = Engines(data)
    try:
        running.start()
        postgres = running.postgres
        assert postgres is not None
        postgres.sql(f"CREATE DATABASE {TEMPLATE} OWNER huiyuan_owner")
        settings = datadir.demo_settings(data, running.urls(TEMPLATE), "http://127.0.0.1:1")
        # In a thread, because this one's event loop belongs to the session's tests.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, migrate(settings)).result()
        yield running
    finally:
        running.stop()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """The port of this module's server; bound early because the settings name it."""
    # asyncio turns Nagle off only for a socket that says it speaks TCP; with it on, each answer waits 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture(scope="module")
def settings(engines: Engines, listener: socket.socket) -> Iterator[Settings]:
    """The settings of this module, with a database of its own (a copy of the template) and an empty Valkey."""
    postgres, valkey = engines.postgres, engines.valkey
    assert postgres is not None
    assert valkey is not None
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER huiyuan_owner")
    valkey.flush()
    made = datadir.demo_settings(engines.data, engines.urls(name), f"http://127.0.0.1:{listener.getsockname()[1]}")
    config.use(made)
    yield made
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(settings: Settings) -> AsyncIterator[Settings]:
    """This module's database with everything a server process has open: pools, Redis, ledger writer, live channel."""
    from backend.app import resources

    async with resources(settings):
        yield settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(database: Settings, listener: socket.socket) -> AsyncIterator[Server]:
    """The whole application on a real port, in this process, with the WeChat simulator mounted."""
    async with _serving(database, listener):
        yield Server(base_url=database.base_url, settings=database)


@pytest_asyncio.fixture(loop_scope="session")
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of ``server``, without credentials."""
    async with httpx.AsyncClient(base_url=server.base_url, timeout=20, trust_env=False) as made:
        yield made


@pytest.fixture
def clock() -> Iterator[object]:
    """The clock to shift or freeze; back to the machine's time afterwards."""
    yield kernel_clock
    kernel_clock.reset()


@asynccontextmanager
async def _serving(settings: Settings, listener: socket.socket) -> AsyncIterator[None]:
    from backend.app import create_app
    from backend.kernel.http.server import Server as HttpServer
    from backend.kernel.http.server import uvicorn_config

    running = HttpServer(uvicorn_config(create_app(settings), settings))
    task = asyncio.create_task(running.run_until_stopped([listener], signals=False))
    ready = asyncio.create_task(running.ready.wait())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        ready.cancel()
        await task
        raise RuntimeError("the server ended before it was ready")
    try:
        yield
    finally:
        running.stop()
        await task
