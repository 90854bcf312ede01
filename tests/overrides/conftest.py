"""A chain whose cashiers may give 5 %, and a manager of its first store whose phone speaks for her."""

from __future__ import annotations

import httpx
import pytest_asyncio

from backend.kernel.config import Settings
from tests.support import kept
from tests.support.members import Phone
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.overrides import manager_phone, put_limit
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in


@pytest_asyncio.fixture(loop_scope="session")
async def manager(office: httpx.AsyncClient, chain: Chain) -> StaffSession:
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(loop_scope="session")
async def boss(settings: Settings, client: httpx.AsyncClient, admin: StaffSession, manager: StaffSession) -> Phone:
    """The manager's phone, a new one; she may give half of a sale, ¥500 of it, ¥10,000 a day, and gave nothing yet."""
    await (await kept.connection(settings, "huiyuan_owner")).execute("TRUNCATE override_grant")
    await put_limit(admin)
    await put_limit(admin, "cashier", sale_bp=500, sale_fen=5_000, day_fen=0, day_count=0)
    return await manager_phone(client, manager)
