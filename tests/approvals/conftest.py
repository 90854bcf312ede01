"""A chain, and those of its staff who ask and decide."""

from __future__ import annotations

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.seed import Login
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def neighbour(office, chain) -> StaffSession:
    return await log_in(office, chain, "manager-S2")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clerk(office, chain, admin) -> StaffSession:
    body = {"username": "clerk-S1", "password": "correct horse", "role": "clerk", "store_id": "S1"}
    assert (await admin.post("/v1/admin/staff", body)).status_code == 201
    chain.staff.append(Login("clerk-S1", "correct horse", "clerk", "S1"))
    return await log_in(office, chain, "clerk-S1")
