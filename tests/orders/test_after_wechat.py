"""An order of which WeChat paid a part: requests give each tender its share back, and WeChat is told of the goods."""

from __future__ import annotations

import msgspec
import pytest

from backend.kernel import clock, db
from backend.orders.commands import notices, psp_refunds, receipts
from backend.wechat import service as wechat
from backend.wechat.types import Receipt
from tests.orders.test_after_sales import ask, step
from tests.orders.test_fulfilment import delivery
from tests.support.books import fingerprint
from tests.support.mall import checkout, order, put
from tests.support.members import Phone
from tests.support.recharge import all_answered, pay, until
from tests.support.staff import StaffSession
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


async def shipped_by_wechat_s_word(phone: Phone, manager: StaffSession) -> tuple[str, str]:
    """An order that WeChat paid for, sent by express, of which WeChat was told; its id and its payment's number."""
    made = (await order(phone, checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}, 1_250)).json()
    order_id, payment_id = made["checkout_id"], made["payment"]["id"]
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE orders_order SET delivery = 'express' WHERE id = $1", order_id)
    await pay(phone.client, payment_id)
    await all_answered(phone.client, payment_id, 1)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "YTO", "tracking_no": "YT1000001"})
    await notices.tell_due(clock.now())
    return order_id, payment_id


@pytest.mark.parametrize(("mode", "form"), [("safe", "xml"), ("safe", "json"), ("plain", "xml"), ("plain", "json")])
async def test_what_is_confirmed_inside_wechat_is_received_once(phone, manager, mode, form):
    await put("S1", APPLE, 4, 3_000)
    order_id, payment_id = await shipped_by_wechat_s_word(phone, manager)
    path, told = f"/mock/wechat/shipping/{payment_id}/receipt", {"mode": mode, "format": form}

    left = await phone.client.post(path, json=told | {"method": "shipped"})
    before = await delivery(phone, order_id)
    answers = [await phone.client.post(path, json=told | {"method": "manual"}) for _ in range(2)]
    there = await delivery(phone, order_id)
    again = await phone.call("POST", f"/v1/member/orders/{order_id}/receipt")

    assert [answer.json()["body"] for answer in (left, *answers)] == ["success"] * 3
    assert (before["status"], there["status"], there["received_by"]) == ("shipped", "received", "wechat")
    assert again.json()["received_at"] == there["received_at"]


async def test_a_receipt_that_wechat_does_not_confirm_or_that_waits_at_a_store_moves_nothing(phone, manager):
    await put("S1", APPLE, 4, 3_000)
    order_id, payment_id = await shipped_by_wechat_s_word(phone, manager)
    waits = (await order(phone, checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}, 1_250)).json()
    await pay(phone.client, waits["payment"]["id"])
    await all_answered(phone.client, waits["payment"]["id"], 1)
    await manager.post(f"/v1/admin/orders/{waits['checkout_id']}/ready")
    await notices.tell_due(clock.now())

    forged = Receipt(out_trade_no=payment_id, received_at=clock.now(), by_hand=True, sealed=False)
    await receipts.receive_confirmed(forged)
    await receipts.receive_confirmed(msgspec.structs.replace(forged, out_trade_no="M0000000000", sealed=True))
    pushed = await phone.client.post(f"/mock/wechat/shipping/{waits['payment']['id']}/receipt")

    assert (await delivery(phone, order_id))["status"] == "shipped"
    assert pushed.json()["body"] == "success"
    assert (await delivery(phone, waits["checkout_id"]))["status"] == "ready_for_pickup"


async def test_a_refund_that_wechat_would_not_take_any_more_is_refused_before_anything_moves(
    phone, manager, settings, monkeypatch
):
    monkeypatch.setattr(psp_refunds, "MOST_REFUNDS", 2)
    await put("S1", APPLE, 4, 3_000)
    made = (await order(phone, checkout(a6902=3) | {"tenders": [{"type": "wechat"}]}, 3_750)).json()
    order_id = made["checkout_id"]
    await pay(phone.client, made["payment"]["id"])
    await all_answered(phone.client, made["payment"]["id"], 1)
    for _ in range(2):
        given = await step(manager, (await ask(phone, order_id, "refund")).json()["id"], "approve")
        assert given.json()["status"] == "refunded"
    last = (await ask(phone, order_id, "refund")).json()["id"]
    before = await fingerprint(settings)

    refused = await step(manager, last, "approve")

    assert (refused.status_code, refused.json()["code"]) == (409, "refund_limit_reached")
    assert await fingerprint(settings) == before


async def test_a_checkout_of_many_orders_is_cancelled_as_long_as_wechat_takes_refunds(phone, settings, monkeypatch):
    monkeypatch.setattr(psp_refunds, "MOST_REFUNDS", 1)
    for store in ("S1", "S2"):
        await put(store, APPLE, 4, 3_000)
    body = checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}
    body["orders"].append(body["orders"][0] | {"store_id": "S2"})
    made = (await order(phone, body, 2_500)).json()
    await pay(phone.client, made["payment"]["id"])
    await all_answered(phone.client, made["payment"]["id"], 1)
    orders = [one["id"] for one in (await phone.call("GET", "/v1/member/orders")).json()["items"][:2]]
    first = await phone.call("POST", f"/v1/member/orders/{orders[0]}/cancel")
    before = await fingerprint(settings)

    second = await phone.call("POST", f"/v1/member/orders/{orders[1]}/cancel")

    assert (first.status_code, second.json()["code"]) == (200, "refund_limit_reached")
    assert await fingerprint(settings) == before
