"""A chain, a member with a phone, and a platform that behaves again after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from backend.auth import service as auth
from backend.auth.types import Role
from backend.kernel import db, ids
from backend.kernel.config import Settings
from backend.wallet import service
from backend.wallet.types import Offer
from backend.worker import load
from tests.support import recharge, wire
from tests.support.members import Phone, register
from tests.support.seed import Chain, Login, seed_chain
from tests.support.server import Server
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings


@dataclass(frozen=True)
class Offers:
    """What every member is offered here."""

    big: str
    first: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offers(chain) -> Offers:
    made = Offers(ids.new_short("O"), ids.new_short("O"))
    async with db.transaction() as tx:
        await service.create_offer(
            tx, Offer(id=made.big, pay_fen=50_000, bonus_fen=5_000, points=500, bonus_valid_days=30, sort=2)
        )
        await service.create_offer(tx, Offer(id=made.first, pay_fen=10_000, bonus_fen=3_000, first_only=True, sort=1))
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client: httpx.AsyncClient, chain) -> Phone:
    return await register(client)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bystander(server: Server, chain) -> AsyncIterator[Phone]:
    """A member to whom nothing happens: for refusals."""
    async with wire.connected(server.base_url) as client:
        yield await register(client)


@pytest_asyncio.fixture(loop_scope="session")
async def books(client: httpx.AsyncClient, settings: Settings) -> AsyncIterator[None]:
    """The platform behaves and the books balance when the test is over."""
    yield
    await recharge.faults(client)
    assert await findings(settings) == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(server: Server, chain) -> AsyncIterator[httpx.AsyncClient]:
    """Head office's browser, and a second person with a login there."""
    async with db.transaction() as tx:
        hashed = await auth.hash_secret("correct horse")
        await auth.create_staff(tx, username="second", password_hash=hashed, role=Role.ADMIN)
    chain.staff.append(Login("second", "correct horse", "admin", None))
    async with wire.connected(server.base_url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(office: httpx.AsyncClient, chain) -> StaffSession:
    return await log_in(office, chain, "admin")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(office: httpx.AsyncClient, chain) -> StaffSession:
    """Somebody else of head office."""
    return await log_in(office, chain, "second")


@pytest.fixture(scope="session", autouse=True)
def worker() -> None:
    """The handlers and jobs are known, as in a worker."""
    load()
