"""A chain, its head office, its stores' managers; and WeChat's bills, which may lie."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.recharge import WECHAT
from tests.support.seed import Login
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """The first store's."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def finance(office, chain, admin) -> StaffSession:
    """The second person, of head office."""
    body = {"username": "finance", "password": "correct horse", "role": "finance"}
    made = await admin.post("/v1/admin/staff", body)
    assert made.status_code == 201, made.text
    chain.staff.append(Login("finance", "correct horse", "finance", None))
    return await log_in(office, chain, "finance")


@pytest_asyncio.fixture(loop_scope="session")
async def lies(client) -> AsyncIterator[object]:
    """Make WeChat's bills lie, until the test is over."""

    async def tell(**how: object) -> None:
        answer = await client.put(f"{WECHAT}/bills/tampering", json=how)
        assert answer.status_code == 200, answer.text

    yield tell
    await tell()
