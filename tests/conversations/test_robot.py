"""What a customer writes comes in once and is answered by the robot."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from tests.support.chat import Customer, newest, work
from tests.support.value import give


@pytest.mark.parametrize("mode", ["plain", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_a_member_asks_for_the_balance_in_every_mode_and_format(customer, phone, settings, mode, form):
    await give(phone.member_id, principal=12_345, bonus=2_000, points=77)

    told = await customer.write(" 我的余额？ ", mode=mode, format=form)
    await work(settings)

    assert (told["status"], told["body"]) == (200, "success")
    assert await customer.answers() == ["您的储值余额为 ¥143.45（其中赠送 ¥20）。"]


async def test_a_message_that_comes_again_is_kept_and_answered_once(customer, settings):
    for _ in range(2):
        await asyncio.gather(*(customer.write("积分", msg_id=7) for _ in range(4)))
        await work(settings)

    rows = await db.fetch(
        "SELECT author, stage FROM conversation_message WHERE conversation_id = $1", int(await newest())
    )
    assert sorted(map(tuple, rows)) == [("customer", "received"), ("robot", "sent")]
    assert len(await customer.answers()) == 1


async def test_a_guest_is_asked_to_register(stranger: Customer, settings):
    await stranger.write("优惠券")
    await work(settings)

    assert await stranger.answers() == ["注册会员后，就可以在这里查询余额、积分、优惠券和订单。", "注册会员"]
