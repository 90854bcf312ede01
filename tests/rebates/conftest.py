"""A chain, its head office, and members; rebates are proved with the books."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.kernel.config import Settings
from backend.rebates import audit
from tests.support import kept
from tests.support.one_chain import admin, chain, fresh_limits, office, phone, settings, worker  # noqa: F401 - fixtures
from tests.support.rebates import end_all_schemes, stand_in_the_middle
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def books(settings: Settings) -> AsyncIterator[None]:  # noqa: F811
    """The books balance when the test is over, and rebates follow from what was bought."""
    yield
    assert await findings(settings) == []
    assert await audit.prove(await kept.connection(settings, "huiyuan_owner")) == []


@pytest_asyncio.fixture(loop_scope="session")
async def a_month_of_its_own(database: Settings, clock: object) -> None:
    """Every test begins in the middle of a month of its own, without schemes."""
    await end_all_schemes()
    stand_in_the_middle()
