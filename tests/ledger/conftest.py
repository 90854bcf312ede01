"""Members of the ledger alone, and a writer, on the module's database."""

from __future__ import annotations

import pytest_asyncio

from backend.ledger.writer import LedgerWriter
from tests.support.books import open_books


@pytest_asyncio.fixture(loop_scope="session")
async def member_id(database) -> int:
    """A member with open, empty books."""
    return await open_books()


@pytest_asyncio.fixture(loop_scope="session")
async def writer(database):
    """A writer of this test's own."""
    made = LedgerWriter(database)
    await made.open()
    yield made
    await made.close()
