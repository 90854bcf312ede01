"""What a member hears of their own affairs: each once, however often the fact is told."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from backend.kernel import config, db, events, outbox
from backend.kernel.clock import local_date
from backend.ledger.events import Recharged
from backend.members.events import LevelReached
from backend.orders.events import AfterSaleMoved, OrderSent
from backend.wallet.commands import expiring
from tests.support.members import register
from tests.support.messages import inbox
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


async def tell(*facts):
    async with db.transaction() as tx:
        await events.publish_many(tx, facts)
    await outbox.drain()


async def test_facts_become_letters_once(phone):
    who = phone.member_id
    facts = [
        Recharged(member_id=who, recharge_id="R1", pay_fen=10_000, bonus_fen=0, points=0),
        Recharged(member_id=who, recharge_id="R2", pay_fen=20_000, bonus_fen=2_050, points=0),
        LevelReached(member_id=who, level="basic"),
        OrderSent(member_id=who, order_id="D1", store_id="S1", ready=False),
        OrderSent(member_id=who, order_id="D2", store_id="S1", ready=True),
        AfterSaleMoved(member_id=who, after_sale_id="W1", order_id="D1", store_id="S1", state="requested"),
        AfterSaleMoved(member_id=who, after_sale_id="W1", order_id="D1", store_id="S1", state="approved"),
        AfterSaleMoved(member_id=who, after_sale_id="W1", order_id="D1", store_id="S1", state="refunded"),
    ]

    await tell(*facts)
    await tell(*facts)

    found = (await inbox(phone))["items"]
    assert sorted((item["template"], item["body"], item["link"]) for item in found) == [
        ("after_sale.approved", "请按页面提示继续。", "#/after-sale?W1"),
        ("after_sale.refunded", "款项已按原路退回，微信支付部分以到账为准。", "#/after-sale?W1"),
        ("member.level_reached", f"恭喜您升级为{phone.member['level']['name']}，快来看看新的权益。", "#/me"),
        ("order.ready", "您的订单已备好，请到门店出示取货码。", "#/order?D2"),
        ("order.sent", "您的订单已全部发出，请留意收货。", "#/order?D1"),
        ("wallet.recharged", "您充值的 ¥100.00 已到账。", "#/entries"),
        ("wallet.recharged_bonus", "您充值的 ¥200.00 已到账，另赠 ¥20.50。", "#/entries"),
    ]
    assert {item["purpose"] for item in found} == {"service"}


async def test_points_are_warned_of_once_before_their_last_day(phone, client, clock, settings):
    now = clock.now()
    day = local_date(now, "Asia/Shanghai") + timedelta(days=settings.points_warn_days)
    other = await register(client)
    await give(phone.member_id, points=30, points_until=day)
    await give(phone.member_id, points=12, points_until=day)
    await give(other.member_id, points=5, points_until=day + timedelta(days=1))

    told = [await expiring.warn_of_expiring_points(now) for _ in range(2)]
    config.use(msgspec.structs.replace(settings, points_warn_days=0))
    never = await expiring.warn_of_expiring_points(now + timedelta(days=1))
    config.use(settings)

    assert (told, never) == ([1, 0], 0)
    assert [item["body"] for item in (await inbox(phone))["items"]] == [f"您有 42 积分将于 {day} 到期，请尽快使用。"]
    assert (await inbox(other))["items"] == []
