"""A chain, its head office, a member, and customers who write."""

import httpx
import pytest
import pytest_asyncio

from tests.support.chat import Customer, guest
from tests.support.members import Phone
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name


@pytest.fixture
def customer(client: httpx.AsyncClient, phone: Phone) -> Customer:
    """The member in WeChat's chat."""
    return Customer(client, phone.openid)


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(client: httpx.AsyncClient, chain: object) -> Customer:
    """Somebody who is no member."""
    return guest(client)
