"""The sample application on a real port, in a thread of its own, with short time-outs."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import msgspec
import pytest
import uvloop

from backend.kernel import config, limits
from backend.kernel.config import Settings
from backend.kernel.http.server import Server, running

from . import sample


def make_settings(**changes: object) -> Settings:
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    plain = Settings(database_url="postgresql:///none", master_keys=f"k1:{key}", rate_anonymous_per_minute=100_000)
    return msgspec.structs.replace(plain, **changes)


class Site:
    """A running server and how to talk to it."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
        self.port = server.port
        self.retire = lambda: loop.call_soon_threadsafe(server.retire)
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.stop = stop


@contextmanager
def serving(settings: Settings) -> Iterator[Site]:
    """Serve the sample application in a thread for as long as the block lasts."""
    started: list[Server] = []
    is_up, stop_loop, loop = threading.Event(), None, None

    async def main() -> None:
        nonlocal stop_loop, loop
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop_loop = lambda: loop.call_soon_threadsafe(ending.set)  # noqa: E731 - short and local
        async with running(sample.build(settings=settings), settings=settings) as server:
            started.append(server)
            is_up.set()
            await ending.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    before = config._current
    config.use(settings)
    thread = threading.Thread(target=run)
    thread.start()
    assert is_up.wait(10)
    assert stop_loop is not None
    assert loop is not None
    try:
        yield Site(started[0], loop, stop_loop)
    finally:
        with suppress(RuntimeError):  # a test that stopped the server itself has closed its loop already
            stop_loop()
        thread.join(15)
        assert not thread.is_alive()
        if before is not None:
            config.use(before)


@pytest.fixture(scope="module", autouse=True)
def _nobody_was_here() -> None:
    """One server and one address serve all modules of this directory: the calls of one are not counted in another."""
    limits.forget()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """The server of these tests."""
    with serving(make_settings(header_timeout_s=0.3, body_timeout_s=0.4, shutdown_grace_s=5)) as site:
        yield site


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    """A client that has the good token."""
    with httpx.Client(base_url=site.base_url, headers={"Authorization": "Bearer good"}, trust_env=False) as client:
        yield client


Dial = Callable[[], socket.socket]


@pytest.fixture
def dial(site: Site) -> Iterator[Dial]:
    """Open connections; they are closed with the test."""
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", site.port), timeout=60))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
