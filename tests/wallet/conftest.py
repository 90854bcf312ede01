"""A chain, a member with a phone, and a platform that behaves again after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest_asyncio

from backend.kernel import db, ids
from backend.kernel.config import Settings
from backend.wallet import service
from backend.wallet.types import Offer
from tests.support import recharge, wire
from tests.support.members import Phone, register
from tests.support.seed import Chain, seed_chain
from tests.support.server import Server
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
