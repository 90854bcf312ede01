"""A chain, its head office, and members."""

from __future__ import annotations

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.seed import Login
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office, chain, admin) -> StaffSession:
    """Another person of head office."""
    body = {"username": "second", "password": "correct horse battery", "role": "admin"}
    assert (await admin.post("/v1/admin/staff", body)).status_code == 201
    chain.staff.append(Login("second", "correct horse battery", "admin", None))
    return await log_in(office, chain, "second")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The manager of S1."""
    return await log_in(office, chain, "manager-S1")
