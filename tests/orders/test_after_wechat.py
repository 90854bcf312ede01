"""An order of which WeChat paid a part: requests give each tender its share back, and WeChat is told of the goods."""

from __future__ import annotations

import pytest

from backend.kernel import clock, db
from backend.orders.commands import notices, psp_refunds
from backend.wechat import service as wechat
from tests.orders.test_after_sales import ask, step
from tests.orders.test_fulfilment import delivery
from tests.support.mall import checkout, order, put
from tests.support.recharge import all_answered, pay, until
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"


async def test_each_tender_gets_its_share_and_wechat_pays_its_own(phone, manager):
    await give(phone.member_id, principal=1_000)
    await put("S1", APPLE, 4, 3_000)
    tenders = [{"type": "stored", "amount_fen": 700}, {"type": "wechat"}]
    made = (await order(phone, checkout(a6902=2) | {"tenders": tenders}, 2_500)).json()
    order_id, payment = made["checkout_id"], made["payment"]
    assert payment["pay_fen"] == 1_800
    await pay(phone.client, payment["id"])
    await all_answered(phone.client, payment["id"], 1)

    requests = [(await ask(phone, order_id, "refund")).json()["id"] for _ in range(2)]
    first = (await step(manager, requests[0], "approve")).json()
    owed = {one["type"]: one["amount_fen"] for one in first["refund"]["by_tender"]}
    await psp_refunds.advance_due(clock.now())
    second = (await step(manager, requests[1], "approve")).json()
    rest = {one["type"]: one["amount_fen"] for one in second["refund"]["by_tender"]}
    await psp_refunds.advance_due(clock.now())

    async def done() -> bool:
        answers = [await manager.get(f"/v1/admin/after-sales/{request}") for request in requests]
        return [answer.json()["refund_status"] for answer in answers] == ["posted", "posted"]

    await until(done)
    assert owed == {"stored": 350, "wechat": 900}
    assert rest == {"stored": 350, "wechat": 900}
    assert first["refund_status"] == "refunding"
    assert (await phone.wallet())["stored"]["total_fen"] == 1_000
    back = [await wechat.query_refund(one["refund"]["id"]) for one in (first, second)]
    assert [(one.amount_fen, one.total_fen, one.status) for one in back] == [(900, 1_800, "SUCCESS")] * 2
    assert (await delivery(phone, order_id))["status"] == "cancelled"


async def test_wechat_is_told_that_an_order_waits_in_its_store(phone, manager):
    await put("S1", APPLE, 4, 3_000)
    made = (await order(phone, checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}, 1_250)).json()
    await pay(phone.client, made["payment"]["id"])
    await all_answered(phone.client, made["payment"]["id"], 1)
    before = await wechat.shipping_state(made["payment"]["id"])

    await manager.post(f"/v1/admin/orders/{made['checkout_id']}/ready")
    await notices.tell_due(clock.now())

    assert (before.finished, (await wechat.shipping_state(made["payment"]["id"])).finished) == (False, True)
    shown = (await manager.get(f"/v1/admin/orders/{made['checkout_id']}")).json()
    assert shown["notice"] == {"status": "told", "tries": 1}
    rows = await db.fetch("SELECT count(*) FROM orders_notice WHERE out_trade_no = $1", made["payment"]["id"])
    assert rows[0][0] == 1
