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


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("frozen", "您的会员账户已冻结，暂时不能查询。发送“人工”由店员为您服务。"),
        ("pending", "您的入会申请正在审核，通过后就可以在这里查询余额、积分、优惠券和订单。"),
    ],
)
async def test_who_sees_no_wallet_on_the_phone_is_told_of_none_here(customer, phone, settings, status, said):
    await give(phone.member_id, principal=12_345)
    await db.pool().execute("UPDATE member SET status = $2 WHERE id = $1", phone.member_id, status)
    try:
        for text in ("余额", "积分", "订单"):
            await customer.write(text)
        await work(settings)
    finally:
        await db.pool().execute("UPDATE member SET status = 'active' WHERE id = $1", phone.member_id)

    assert await customer.answers() == [said] * 3
