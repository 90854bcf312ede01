"""Few pieces wanted by many: exactly as many are sold as there are, whoever asks at once and however often."""

from __future__ import annotations

import asyncio
import uuid

import pytest_asyncio

from backend.orders.commands import place
from tests.support.mall import checkout, open_mall, order, put, shelf
from tests.support.members import register
from tests.support.races import at_once, outcomes
from tests.support.value import findings, give

APPLE, FEN = "6902", 1_250


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(chain) -> None:
    await open_mall("S1")


async def test_seven_pieces_go_to_seven_of_forty_and_the_money_of_the_others_stays(client, chain, settings):
    await put("S1", APPLE, 7, 7_001)
    phones = await asyncio.gather(*(register(client) for _ in range(20)))
    for phone in phones:
        await give(phone.member_id, principal=10 * FEN)

    answers = await at_once(order(phone, checkout(a6902=1), FEN) for phone in phones * 2)

    assert outcomes(answers) == {201: 7, "out_of_stock": 33}
    assert await shelf("S1", APPLE) == (0, 0, 0)
    left = [(await phone.wallet())["stored"]["total_fen"] for phone in phones]
    bought = [sum(answers[at].status_code == 201 for at in (number, number + 20)) for number in range(20)]
    assert left == [10 * FEN - FEN * pieces for pieces in bought]
    assert await findings(settings) == []


async def test_one_key_at_once_buys_once_and_money_for_two_buys_two(client, chain, phone, settings):
    await put("S1", APPLE, 20, 20)
    await give(phone.member_id, principal=2 * FEN + 1)
    key = uuid.uuid4().hex

    one = await at_once(order(phone, checkout(a6902=1), FEN, key=key) for _ in range(6))
    more = await at_once(order(phone, checkout(a6902=1), FEN) for _ in range(6))

    assert outcomes(one) == {201: 6}
    assert len({answer.json()["checkout_id"] for answer in one}) == 1
    assert outcomes(more) == {201: 1, "insufficient_balance": 5}
    assert (await shelf("S1", APPLE))[:2] == (18, 0)
    assert (await phone.wallet())["stored"]["total_fen"] == 1
    assert await findings(settings) == []


async def test_an_order_cancelled_many_times_at_once_gives_back_once(client, chain, phone, settings):
    await put("S1", APPLE, 5, 5_000)
    before = await shelf("S1", APPLE)
    await give(phone.member_id, principal=FEN)
    order_id = (await order(phone, checkout(a6902=1), FEN)).json()["checkout_id"]
    place.forget_gone()

    answers = await at_once(phone.call("POST", f"/v1/member/orders/{order_id}/cancel") for _ in range(8))

    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(200, "cancelled")}
    assert (await phone.wallet())["stored"]["total_fen"] == FEN
    assert await shelf("S1", APPLE) == before
    assert await findings(settings) == []
