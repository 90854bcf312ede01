"""A crowd that places orders: who is too many is refused and may come again, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import uuid

import pytest
import pytest_asyncio

from backend.kernel.http import app, lanes
from backend.orders.commands import place
from tests.support.mall import checkout, order, put, shelf
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE, FEN = "6902", 1_250


@pytest_asyncio.fixture(loop_scope="session")
async def full(monkeypatch):
    """The lane of orders with one at work and one that waits, which is as many as may; ``set`` lets them go."""
    monkeypatch.setattr(place.LANE, "_at_once", 1)
    monkeypatch.setattr(place.LANE, "_most_waiting", 1)
    go = asyncio.Event()
    held = [asyncio.create_task(place.LANE.run(go.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    yield go
    go.set()
    await asyncio.gather(*held)


async def test_an_order_that_is_too_much_moves_nothing_others_are_answered_and_the_same_key_buys_later(phone, full):
    await give(phone.member_id, principal=10 * FEN)
    await put("S1", APPLE, 4, 4_000)
    before = await shelf("S1", APPLE)
    key, body = uuid.uuid4().hex, checkout(a6902=2)

    refused = await order(phone, body, 2 * FEN, key=key)
    page = await phone.call("GET", f"/v1/member/mall/products/P-{APPLE}?store_id=S1")
    moved = (await phone.wallet())["stored"]["total_fen"], await shelf("S1", APPLE)
    full.set()
    placed = await order(phone, body, 2 * FEN, key=key)
    again = await order(phone, body, 2 * FEN, key=key)

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "crowded", "2")
    assert (page.status_code, moved) == (200, (10 * FEN, before))
    assert (placed.status_code, again.status_code, again.json()) == (201, 201, placed.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert (await phone.wallet())["stored"]["total_fen"] == 8 * FEN
    assert (await shelf("S1", APPLE))[0] == before[0] - 2


async def test_who_is_in_no_lane_is_somebody_else_while_they_are_answered(phone, full, monkeypatch):
    came = []

    class Watched(lanes.Others):
        def begin(self) -> None:
            super().begin()
            came.append(self._under_way)

    others = Watched()
    monkeypatch.setattr(app, "others", others)

    refused = await order(phone, checkout(a6902=1), FEN)
    crowd = list(came)
    page = await phone.call("GET", f"/v1/member/mall/products/P-{APPLE}?store_id=S1")

    assert (refused.status_code, crowd) == (503, [])
    assert (page.status_code, came, others._under_way) == (200, [1], 0)
