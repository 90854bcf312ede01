"""Fixtures of every test: real engines once a session, a fresh copy of the migrated database for every module."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import socket
import ssl
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx
import hypothesis
import pytest
import pytest_asyncio
import uvloop
from argon2 import PasswordHasher

from backend.auth import passwords
from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.kernel import clock as kernel_clock
from backend.kernel import config, limits
from backend.kernel.config import Settings
from backend.kernel.http.server import COLLECT_AFTER
from backend.pos.commands import identify
from tests.support import logs, order, place, wire
from tests.support.server import Server

TEMPLATE = "huiyuan_template"
WRITE_THROUGH = ("fsync", "full_page_writes")

gc.set_threshold(*COLLECT_AFTER)  # as in production, but before thousands of tests are collected

# How long one example takes says how busy the machine is, not whether the property holds.
# The same examples every time: a red run is a change's doing.
hypothesis.settings.register_profile("huiyuan", deadline=None, derandomize=True)
hypothesis.settings.load_profile("huiyuan")


@pytest.hookimpl(optionalhook=True)  # where tests run in one process, nobody asks
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than cores: tests that kill, stall and restart programs wait much and compute little."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What is imported and collected stays: no garbage collection need look through it."""
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """What Schemathesis makes of one test, one for each call of a description, is called by the call."""
    if label := getattr(item, "operation_label", None):
        item._id = item.id.with_params(label)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shared among processes, the longest files begin, so that none of them runs alone at the end.

    Of several tests of one name, processes that share them would run one.
    """
    names = Counter(item.nodeid for item in items)
    if len(names) < len(items):
        raise pytest.UsageError(f"tests of one name: {[name for name, times in names.items() if times > 1]}")
    if hasattr(config, "workerinput"):
        items.sort(key=order.longest_first)


@pytest.fixture(scope="session")
def _asyncio_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The loop that a server process has. (By pytest-asyncio's hook, sync tests would have another.)"""
    return uvloop.new_event_loop


@pytest.fixture(scope="session", autouse=True)
def _httpx_looks_once() -> Iterator[None]:
    """Of httpx: a new client reads the authorities' certificates for 20 ms, a call looks for a module nobody has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        patch.setitem(sys.modules, "sniffio", None)
        yield


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """Passwords and PINs cost no time to hash; who looks at the hasher that costs it on purpose, gets that."""
    with pytest.MonkeyPatch.context() as patch:
        real = passwords._hasher
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield real


@pytest.fixture(scope="session", autouse=True)
def _logs_are_heard() -> None:
    """Every line that this process logs is looked at; see ``_logs_tell_nothing``."""
    logs.begin()


@pytest.fixture(scope="module", autouse=True)
def _logs_tell_nothing() -> Iterator[None]:
    """Whatever a module's tests did: no token, code, openid or phone number that they used stands in a log."""
    yield
    found = logs.watch.findings()
    assert not found, f"{len(found)} lines of log tell a secret; the first: {found[0][:2000]}"


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """PostgreSQL and Valkey for this session, with the template database migrated; they end with this process.

    Nothing of them is written through to the disk: they are to survive no power cut. See ``durable``.
    """
    from backend.cli.migrate import migrate

    with place.directory("test") as data, Engines(data, postgres=dict.fromkeys(WRITE_THROUGH, "off")) as running:
        postgres = running.postgres
        assert postgres is not None
        postgres.sql(f"CREATE DATABASE {TEMPLATE} OWNER huiyuan_owner")
        settings = datadir.demo_settings(data, running.urls(TEMPLATE), "http://127.0.0.1:1")
        # In a thread, because this one's event loop belongs to the session's tests.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, migrate(settings)).result()
        yield running


@pytest.fixture(scope="module")
def durable(engines: Engines) -> Iterator[None]:
    """While this module runs, the session's PostgreSQL writes through to the disk as in production."""
    _change(engines, "SET {} = on", "on")
    yield
    _change(engines, "RESET {}", "off")


def _change(engines: Engines, how: str, to: str) -> None:
    """Returns when it holds in every session: the server tells them before it opens the one that is asked here."""
    assert engines.postgres is not None
    engines.postgres.sql("\n".join(f"ALTER SYSTEM {how.format(name)};" for name in WRITE_THROUGH))
    engines.postgres.sql("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 60
    while set(engines.postgres.sql("\n".join(f"SHOW {name};" for name in WRITE_THROUGH)).split()) != {to}:
        assert time.monotonic() < deadline


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
    """This module's settings, with a database of its own (a copy of the template), an empty Valkey and no counts."""
    postgres, valkey = engines.postgres, engines.valkey
    assert postgres is not None
    assert valkey is not None
    name = f"test_{uuid.uuid4().hex[:12]}"
    # Copied as files, which costs a third of writing each page to the log.
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER huiyuan_owner STRATEGY file_copy")
    valkey.flush()
    limits.forget()
    identify._blocked_until.clear()  # tills have the same names in every module
    identify.number_misses.forget()
    made = datadir.demo_settings(
        engines.data,
        engines.urls(name),
        f"http://127.0.0.1:{listener.getsockname()[1]}",
        {"HUIYUAN_MESSAGE_QUIET_FROM": "08:00"},  # as its end: what a test finds does not depend on the time of day
    )
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
    async with wire.connected(server.base_url) as made:
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

    app = create_app(settings)
    running = HttpServer(uvicorn_config(app, settings))
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
