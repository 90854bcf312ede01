"""One sale refunded by two tills at once, each at a server process of its own: no turns in memory, only the database.

Nobody gets back more than was paid, the coupon comes back once, and what is sent again is answered again.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio

from backend.engines import datadir
from backend.kernel.config import Settings
from tests.support import wire
from tests.support.coupons import CASH, coupons_of, give_coupon
from tests.support.races import at_once, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

SERVE = [sys.executable, "-m", "backend.cli.main", "serve", "--port", "0"]
TOO_LATE = {"refund_exceeds_paid", "sale_not_refundable"}


@pytest.fixture(scope="module")
def processes(settings: Settings) -> Iterator[list[subprocess.Popen[str]]]:
    """Two servers of this module's database, as two machines behind one address would be."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(SERVE, env=datadir.environment(settings), stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        for process in started:
            stack.callback(process.terminate)
        yield started


@pytest.fixture(scope="module")
def urls(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Where they listen."""
    return [process.stdout.readline().split()[-1] for process in processes if process.stdout is not None]


@pytest_asyncio.fixture(loop_scope="session")
async def shops(chain, urls: list[str]) -> AsyncIterator[list[Shop]]:
    """A till at each server."""
    async with wire.connected(urls[0], timeout=60) as one, wire.connected(urls[1], timeout=60) as other:
        tills = chain.tills["S1"]
        yield [Shop(tills[0], one), Shop(tills[1], other)]


class Shop:
    """A till, and the server that it is connected to."""

    def __init__(self, till: Any, client: httpx.AsyncClient) -> None:
        self.till, self.client = till, client

    async def refund(self, sale: dict[str, Any], fen: int, key: str | None = None) -> httpx.Response:
        path = f"/v1/pos/sales/{sale['id']}/refunds"
        return await self.till.post(self.client, path, {"amount_fen": fen, "reason": "x"}, key=key or uuid.uuid4().hex)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def sale(client, chain, admin, phone) -> dict[str, Any]:
    """¥120, of which a coupon pays ¥20, stored value ¥60 and cash the rest."""
    coupon_id = await give_coupon(admin, phone, CASH | {"refund": "claw_back"})
    await give(phone.member_id, principal=10_000)
    tenders = [{"type": "coupon", "coupon_id": coupon_id}, {"type": "stored", "amount_fen": 6_000}, {"type": "cash"}]
    answer = await chain.till.sell(client, phone.code(), fen=12_000, tenders=tenders)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made | {"coupon_id": coupon_id}


def given_back(refunds: list[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for refund in refunds:
        for tender in refund["by_tender"]:
            total[tender["type"]] += tender["amount_fen"]
    return total


async def test_with_a_key_each_they_give_back_what_was_paid_and_the_coupon_once(shops, phone, sale, settings):
    answers = await at_once(shops[number % 2].refund(sale, 1_500) for number in range(16))

    given = [answer.json() for answer in answers if answer.status_code == 201]
    counted = outcomes(answers)
    assert counted.pop(201) == 8
    assert set(counted) <= TOO_LATE
    assert sum(counted.values()) == 8
    assert given_back(given) == {"coupon": 2_000, "stored": 6_000, "cash": 4_000}
    assert [coupon["id"] for refund in given for coupon in refund["coupons_returned"]] == [sale["coupon_id"]]
    assert [coupon["balance"] for coupon in await coupons_of(phone)] == [1]
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000
    assert await findings(settings) == []


async def test_with_the_same_key_at_both_servers_each_refund_is_made_once(shops, phone, sale, settings):
    """A till that heard nothing asks again, and its request goes to the other server while the first works on it."""
    one, other = shops
    roaming = Shop(one.till, other.client)
    keys = [uuid.uuid4().hex for _ in range(4)]
    answers = await at_once(
        shop.refund(sale, 3_000, key) for key in keys for shop in (one, roaming, one, roaming, one, roaming)
    )
    late = await at_once(shop.refund(sale, 3_000, uuid.uuid4().hex) for shop in shops)
    again = await at_once(roaming.refund(sale, 3_000, key) for key in keys)

    assert {answer.status_code for answer in answers} == {201}
    said = [{answer.text for answer in answers[at : at + 6]} for at in range(0, 24, 6)]
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert [len(each) for each in said] == [1, 1, 1, 1]
    assert replayed.count("true") == 20
    assert set(outcomes(late)) <= TOO_LATE
    assert [{answer.text} for answer in again] == said
    refunds = [answer.json() for answer in again]
    assert len({refund["id"] for refund in refunds}) == 4
    assert given_back(refunds) == {"coupon": 2_000, "stored": 6_000, "cash": 4_000}
    assert [coupon["id"] for refund in refunds for coupon in refund["coupons_returned"]] == [sale["coupon_id"]]
    assert [coupon["balance"] for coupon in await coupons_of(phone)] == [1]
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000
    assert await findings(settings) == []
