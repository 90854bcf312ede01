"""A chain, its head office, and another system of it that is called at an address of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, db
from backend.kernel.config import Settings
from tests.support.levels import levels
from tests.support.mis import Mis
from tests.support.one_chain import admin, chain, fresh_limits, office, phone, worker

__all__ = ["admin", "chain", "fresh_limits", "levels", "office", "phone", "worker"]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """This machine is a network of our own."""
    made = msgspec.structs.replace(
        settings, rate_anonymous_per_minute=100_000, log_level="warning", webhook_networks="127.0.0.0/8"
    )
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def mis() -> AsyncIterator[Mis]:
    """Another system that takes what it is sent, unless it is told otherwise."""
    receiver = Mis()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _nobody_is_left(settings: Settings) -> AsyncIterator[None]:
    """One test's subscribers are not called in the next."""
    yield
    await db.fetch("UPDATE feed_subscriber SET state = 'ended', url = NULL WHERE state <> 'ended'")
