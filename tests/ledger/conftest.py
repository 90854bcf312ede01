"""Members of the ledger alone, on the module's database."""

from __future__ import annotations

import pytest_asyncio

from tests.support.books import open_books


@pytest_asyncio.fixture(loop_scope="session")
async def member_id(database) -> int:
    """A member with open, empty books."""
    return await open_books()
