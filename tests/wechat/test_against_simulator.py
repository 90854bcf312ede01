"""The adapter and the simulator, two readings of one protocol, over real HTTP: calls, notifications, pushes."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization

from backend.app import simulator_config
from backend.kernel import clock as kernel_clock
from backend.kernel import redis
from backend.kernel.http import build_app
from backend.kernel.http.server import Server as HttpServer
from backend.kernel.http.server import uvicorn_config
from backend.wechat import callbacks, routes, service
from backend.wechat.errors import (
    CallbackRefused,
    JsCodeInvalid,
    MessageRefused,
    OrderClosed,
    OrderNotFound,
    OrderPaid,
    PayRefused,
    PhoneCodeInvalid,
    RefundNotFound,
    ShippingOrderUnknown,
    ShippingToldAlready,
)
from backend.wechat.types import Logistics, Parcel, Payment, PushMessage, Refund, TradeState
from miniapp_mock import simulator
from miniapp_mock.simulator.faults import KINDS
from tests.support import wire

KEY_ID = "PUB_KEY_ID_0116000000012026112300000000000001"


@dataclass
class Shop:
    """What the domains above would be: it credits each order once, if it knows it, and the amount is right."""

    http: httpx.AsyncClient
    orders: dict[str, int] = field(default_factory=dict)
    credited: list[Payment] = field(default_factory=list)
    refunds: dict[str, Refund] = field(default_factory=dict)
    pushed: list[PushMessage] = field(default_factory=list)
    fail_next: int = 0

    async def take_payment(self, payment: Payment) -> None:
        if self.fail_next:
            self.fail_next -= 1
            raise RuntimeError("the database is away")
        if self.orders.get(payment.out_trade_no) != payment.amount_fen:
            raise CallbackRefused("amount")
        if payment.out_trade_no not in {known.out_trade_no for known in self.credited}:
            self.credited.append(payment)

    async def take_refund(self, refund: Refund) -> None:
        if refund.out_refund_no not in self.refunds and refund.out_trade_no not in self.orders:
            raise CallbackRefused("order")
        if refund.amount_fen != 200 or not refund.out_refund_no.startswith("F"):
            raise CallbackRefused("amount")
        self.refunds[refund.out_refund_no] = refund

    async def take_push(self, message: PushMessage) -> None:
        self.pushed.append(message)

    async def order(self, amount_fen: int = 500) -> tuple[str, str]:
        out_trade_no = f"E{uuid.uuid4().hex[:24]}"
        self.orders[out_trade_no] = amount_fen
        prepay_id = await service.create_order(
            out_trade_no,
            amount_fen=amount_fen,
            description="会员充值",
            openid="openid-amy",
            expires_at=kernel_clock.now() + timedelta(minutes=30),
            attach="recharge",
        )
        return out_trade_no, prepay_id

    async def pay(self, out_trade_no: str) -> None:
        answer = await self.http.post(f"/mock/wechat/pay/{out_trade_no}/pay")
        assert answer.status_code == 200, answer.text

    async def faults(self, **faults: object) -> None:
        assert (await self.http.put("/mock/wechat/faults", json=faults)).status_code == 200

    async def notifications(self, out_trade_no: str, *, settled: int) -> list[dict]:
        """The order's notifications, once that many of them were tried and taken (or sent, the forged ones)."""
        async with asyncio.timeout(60):
            while True:
                answer = await self.http.get("/mock/wechat/notifications", params={"out_trade_no": out_trade_no})
                items = answer.json()["items"]
                if sum(item["state"] in ("taken", "sent") for item in items) >= settled:
                    return items
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(settings, listener, tmp_path_factory) -> AsyncIterator[Shop]:
    """The four routes with the simulator mounted, on a real port; the platform's key has both its names."""
    base = simulator_config(settings)
    keys = tmp_path_factory.mktemp("platform")
    for path in Path(settings.wechat_platform_keys_dir).glob("*.pem"):
        shutil.copy(path, keys)
    platform_key = serialization.load_pem_private_key(base.platform_private_key_pem.encode(), None)
    (keys / f"{KEY_ID}.pem").write_bytes(
        platform_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    platform = simulator.build(
        dataclasses.replace(base, platform_public_key_id=KEY_ID, retry_factor=1 / 300, refund_s=0.05)
    )
    configured = msgspec.structs.replace(settings, wechat_platform_keys_dir=str(keys))

    await redis.open_client(configured)
    await service.open_client(configured)
    app = build_app([routes.router], mounts=[("/mock/wechat", platform)], checks=(), settings=configured)
    running = HttpServer(uvicorn_config(app, configured))
    task = asyncio.create_task(running.run_until_stopped([listener], signals=False))
    await running.ready.wait()
    kept = callbacks._payment_callbacks, callbacks._refund_callbacks, callbacks._push_callbacks
    callbacks._payment_callbacks, callbacks._refund_callbacks, callbacks._push_callbacks = {}, {}, []
    async with wire.connected(configured.base_url, timeout=60) as http:
        made = Shop(http)
        service.on_payment(made.take_payment)
        service.on_refund(made.take_refund)
        service.on_push_message(made.take_push)
        yield made
        await made.faults()
    callbacks._payment_callbacks, callbacks._refund_callbacks, callbacks._push_callbacks = kept
    await platform.aclose()
    running.stop()
    await task
    await service.close_client()
    await redis.close_client()


async def test_logs_in_with_a_code_once(shop: Shop):
    code = (await shop.http.post("/mock/wechat/codes", json={"openid": "openid-bo"})).json()["code"]

    session = await service.login(code)

    assert session.openid == "openid-bo"
    assert session.session_key
    for bad in (code, "invented", "", "x" * 300, "a b", "a\nb"):
        with pytest.raises(JsCodeInvalid):
            await service.login(bad)


async def test_gets_a_phone_number_with_a_code_once(shop: Shop):
    code = (await shop.http.post("/mock/wechat/codes", json={"phone": "13800138000"})).json()["code"]

    assert await service.phone_number(code) == "13800138000"
    assert await service.phone_number("phone-13900139000") == "13900139000"

    for bad in (code, "invented", ""):
        with pytest.raises(PhoneCodeInvalid):
            await service.phone_number(bad)


async def test_sends_messages_also_after_the_token_ended(shop: Shop, settings):
    openid = f"openid-{uuid.uuid4().hex[:8]}"
    await shop.http.post(f"/mock/wechat/customers/{openid}/messages", json={"text": "在吗"})
    await shop.http.post("/mock/wechat/subscriptions", json={"openid": openid, "template_ids": ["template-1"]})
    await service.send_custom_message(openid, "您的充值已到账：¥500 <元>")
    await _end_tokens(settings)
    await service.send_subscribe_message(openid, "template-1", {"thing1": "到账提醒"}, page="pages/index")

    items = (await shop.http.get("/mock/wechat/sent", params={"openid": openid})).json()["items"]
    assert [item["kind"] for item in items] == ["custom", "subscribe"]
    assert items[0]["text"] == "您的充值已到账：¥500 <元>"


async def test_a_message_to_nobody_is_refused(shop: Shop):
    with pytest.raises(MessageRefused):
        await service.send_custom_message("", "x")


async def _end_tokens(settings) -> None:
    import asyncpg

    connection = await asyncpg.connect(simulator_config(settings).database_url)
    try:
        await connection.execute("DELETE FROM access_token")
    finally:
        await connection.close()


async def test_an_order_is_opened_paid_and_notified_once(shop: Shop):
    out_trade_no, prepay_id = await shop.order(500)
    assert (await service.query_order(out_trade_no)).state is TradeState.NOTPAY

    await shop.pay(out_trade_no)
    items = await shop.notifications(out_trade_no, settled=1)

    (credited,) = [payment for payment in shop.credited if payment.out_trade_no == out_trade_no]
    assert (credited.amount_fen, credited.openid, credited.attach) == (500, "openid-amy", "recharge")
    assert [(item["attempts"], item["last_status"]) for item in items] == [(1, 204)]
    order = await service.query_order(out_trade_no)
    assert order.state is TradeState.SUCCESS
    assert order.payment is not None
    assert msgspec.structs.asdict(order.payment) == msgspec.structs.asdict(credited)
    params = service.pay_params(prepay_id, kernel_clock.now())
    assert params["package"] == f"prepay_id={prepay_id}"
    assert len(params["nonceStr"]) == 32


async def test_the_same_order_again_is_the_same_and_other_terms_are_refused(shop: Shop):
    out_trade_no, prepay_id = await shop.order()
    terms = {"description": "会员充值", "openid": "openid-amy", "attach": "recharge"}

    with pytest.raises(PayRefused):
        await service.create_order(
            out_trade_no, amount_fen=501, expires_at=kernel_clock.now() + timedelta(minutes=30), **terms
        )

    assert prepay_id
    assert (await service.query_order(out_trade_no)).state is TradeState.NOTPAY


async def test_closes_an_order_but_not_a_paid_one(shop: Shop):
    out_trade_no, _ = await shop.order()
    await service.close_order(out_trade_no)
    await service.close_order(out_trade_no)
    assert (await service.query_order(out_trade_no)).state is TradeState.CLOSED
    assert (await shop.http.post(f"/mock/wechat/pay/{out_trade_no}/pay")).status_code == 400

    paid, _ = await shop.order()
    await shop.pay(paid)
    with pytest.raises(OrderPaid):
        await service.close_order(paid)
    with pytest.raises(OrderNotFound):
        await service.query_order("E0000000000")
    with pytest.raises((OrderClosed, OrderPaid, PayRefused)):
        await service.create_order(
            paid, amount_fen=500, description="x", openid="o", expires_at=kernel_clock.now() + timedelta(hours=1)
        )


async def test_refunds_a_part_and_hears_of_its_end(shop: Shop):
    out_trade_no, _ = await shop.order(500)
    await shop.pay(out_trade_no)
    out_refund_no = "F" + out_trade_no

    first = await service.refund(out_trade_no, out_refund_no, amount_fen=200, total_fen=500, reason="订单已关闭")
    again = await service.refund(out_trade_no, out_refund_no, amount_fen=200, total_fen=500, reason="订单已关闭")
    await shop.notifications(out_trade_no, settled=2)

    assert first.refund_id == again.refund_id
    done = await service.query_refund(out_refund_no)
    assert (done.status, done.amount_fen, done.total_fen) == ("SUCCESS", 200, 500)
    assert msgspec.structs.asdict(shop.refunds[out_refund_no]) == msgspec.structs.asdict(done)
    assert (await service.query_order(out_trade_no)).state is TradeState.REFUND
    with pytest.raises(PayRefused):
        await service.refund(out_trade_no, out_refund_no + "b", amount_fen=301, total_fen=500)
    with pytest.raises(RefundNotFound):
        await service.query_refund("F0")
    with pytest.raises(OrderNotFound):
        await service.refund("E0000000000", "F1", amount_fen=1, total_fen=1)


async def test_tells_how_a_paid_orders_goods_travel(shop: Shop):
    out_trade_no, _ = await shop.order()
    parcels = [
        Parcel(item_desc="茶*1", tracking_no="SF1", carrier="SF", receiver_phone="13800138000"),
        Parcel(item_desc="杯*2", tracking_no="YT1", carrier="YTO"),
    ]
    way: dict[str, Any] = {
        "openid": "openid-amy",
        "logistics": Logistics.EXPRESS,
        "parcels": parcels,
        "at": kernel_clock.now(),
    }
    with pytest.raises(ShippingOrderUnknown):
        await service.upload_shipping(out_trade_no, **way)
    with pytest.raises(ShippingOrderUnknown):
        await service.shipping_state(out_trade_no)
    await shop.pay(out_trade_no)
    before = await service.shipping_state(out_trade_no)

    await service.upload_shipping(out_trade_no, **way)
    with pytest.raises(ShippingToldAlready):
        await service.upload_shipping(out_trade_no, **way)

    after = await service.shipping_state(out_trade_no)
    assert (before.order_state, before.finished) == (1, False)
    assert (after.order_state, after.finished) == (2, True)


async def test_duplicates_are_all_accepted_and_credited_once(shop: Shop):
    await shop.faults(duplicate=5)
    out_trade_no, _ = await shop.order()

    await shop.pay(out_trade_no)
    items = await shop.notifications(out_trade_no, settled=6)
    await shop.faults()

    assert {item["last_status"] for item in items} == {204}
    assert sum(payment.out_trade_no == out_trade_no for payment in shop.credited) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_forged_notification_is_refused_and_moves_nothing(shop: Shop, kind):
    await shop.faults(forge=kind, drop=True)
    out_trade_no, _ = await shop.order()
    before = list(shop.credited)

    await shop.pay(out_trade_no)
    out = await _forged(shop, kind)
    await shop.faults()

    assert 400 <= out["last_status"] < 500
    assert shop.credited == before


async def _forged(shop: Shop, kind: str) -> dict:
    """The newest notification of that kind, once it was sent (the kind "order" hides the order's number)."""
    async with asyncio.timeout(60):
        while True:
            items = (await shop.http.get("/mock/wechat/notifications")).json()["items"]
            newest = next((item for item in items if item["kind"] == kind), None)
            if newest and newest["state"] == "sent":
                return newest
            await asyncio.sleep(0.02)


async def test_forged_refund_notifications_are_refused_beside_a_true_one(shop: Shop):
    out_trade_no, _ = await shop.order(500)
    await shop.pay(out_trade_no)
    await shop.notifications(out_trade_no, settled=1)
    await shop.faults(forge=True)
    out_refund_no = "F" + out_trade_no

    await service.refund(out_trade_no, out_refund_no, amount_fen=200, total_fen=500)
    items = await shop.notifications(out_trade_no, settled=12)  # a payment, a refund, ten forged ones
    await shop.faults()

    forged = [item for item in items if item["event_type"] == "REFUND.SUCCESS" and item["kind"] != "genuine"]
    assert {item["kind"] for item in forged} == set(KINDS) - {"appid", "currency"}
    assert all(400 <= item["last_status"] < 500 for item in forged)
    assert shop.refunds[out_refund_no].amount_fen == 200


async def test_what_fails_here_is_sent_again_and_then_taken(shop: Shop):
    out_trade_no, _ = await shop.order()
    shop.fail_next = 2

    await shop.pay(out_trade_no)
    items = await shop.notifications(out_trade_no, settled=1)

    assert [(item["attempts"], item["last_status"]) for item in items] == [(3, 204)]
    assert sum(payment.out_trade_no == out_trade_no for payment in shop.credited) == 1


@pytest.mark.parametrize("mode", ["plain", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_receives_pushes_in_both_modes_and_formats(shop: Shop, mode, form):
    text = f"余额 <多少> & 何时 {mode} {form}"
    request = {"openid": "openid-amy", "content": text, "mode": mode, "format": form}

    answer = (await shop.http.post("/mock/wechat/push", json=request)).json()

    assert (answer["status"], answer["body"]) == (200, "success")
    assert [(message.openid, message.kind) for message in shop.pushed if message.content == text] == [
        ("openid-amy", "text")
    ]


async def test_a_repeated_push_is_accepted_and_handed_on_once(shop: Shop):
    request = {"openid": "openid-amy", "content": "一次", "msg_id": uuid.uuid4().int >> 66}

    answers = [(await shop.http.post("/mock/wechat/push", json=request)).json()["body"] for _ in range(3)]

    assert answers == ["success"] * 3
    assert len([message for message in shop.pushed if message.content == "一次"]) == 1


async def test_receives_events(shop: Shop):
    request = {"openid": "openid-cy", "msg_type": "event", "content": "user_enter_tempsession"}

    assert (await shop.http.post("/mock/wechat/push", json=request)).json()["status"] == 200

    assert [message.event for message in shop.pushed if message.openid == "openid-cy"] == ["user_enter_tempsession"]


async def test_the_push_address_can_be_registered(shop: Shop):
    assert (await shop.http.post("/mock/wechat/push/verify")).json() == {"status": 200, "ok": True}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/wechat/push", b""),
        ("GET", "/v1/wechat/push?signature=a&signature=b&timestamp=1&nonce=1&echostr=x", b""),
        ("POST", "/v1/wechat/push", b"<xml/>"),
        ("POST", "/v1/wechat/pay/notify", b"{}"),
        ("POST", "/v1/wechat/pay/notify", b""),
        ("POST", "/v1/wechat/pay/refund-notify", b"\xff"),
    ],
)
async def test_unsigned_requests_get_a_problem_that_tells_nothing(shop: Shop, method, path, body):
    answer = await shop.http.request(method, path, content=body)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "signature_invalid"
    assert answer.json()["message"] == "签名错误"
    assert "reason" not in answer.json()


async def test_a_huge_notification_is_refused_before_it_is_read(shop: Shop):
    answer = await shop.http.post("/v1/wechat/pay/notify", content=b"x" * 70_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
