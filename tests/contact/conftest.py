"""A chain, its head office, its stores' staff, and a member of each store with something behind them."""

from __future__ import annotations

import pytest
import pytest_asyncio

from backend.kernel import db, guessing
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.seed import Chain, Login
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain: Chain) -> StaffSession:
    """The manager of store S1."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clerk(office, chain: Chain, admin: StaffSession) -> StaffSession:
    """A clerk of store S1."""
    body = {"username": "clerk-s1", "password": "correct horse", "role": "clerk", "store_id": "S1"}
    assert (await admin.post("/v1/admin/staff", body)).status_code == 201
    chain.staff.append(Login("clerk-s1", "correct horse", "clerk", "S1"))
    return await log_in(office, chain, "clerk-s1")


@pytest.fixture(autouse=True)
def nobody_is_blocked() -> None:
    guessing.forget()


async def join(phone, store_id: str | None) -> None:
    """Make the member one of that store."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE member SET store_id = $2 WHERE id = $1", phone.member_id, store_id)
