"""Calls to Pay v3 against a server that answers as WeChat does, well or badly."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from backend.kernel import clock
from backend.kernel.errors import Unavailable
from backend.kernel.redaction import redact_mapping
from backend.wechat import pay as pay_module
from backend.wechat.errors import (
    NotEnough,
    OrderClosed,
    OrderNotFound,
    OrderPaid,
    OutTradeNoUsed,
    PayRefused,
    RefundNotFound,
    WechatMisconfigured,
    WechatUnavailable,
)
from backend.wechat.pay import Pay
from backend.wechat.transport import MAX_ANSWER_BYTES, Transport
from backend.wechat.types import TradeState

from .platform import APP_ID, KEY_ID, MCH_ID, NOW, headers_for, key, merchant, transaction, trust
from .scripted import Received, Scripted, answer, scripted

PREPARED = {"prepay_id": "wx201410272009395522657a690389285100"}
REFUND = {
    "refund_id": "50300001",
    "out_refund_no": "F1",
    "transaction_id": "4200001",
    "out_trade_no": "R1",
    "channel": "ORIGINAL",
    "status": "PROCESSING",
    "create_time": "2026-11-23T20:00:00+08:00",
    "amount": {"total": 100, "refund": 40, "payer_total": 100, "payer_refund": 40, "currency": "CNY"},
}


def signed(status: int, value: object = None, **changes: str) -> bytes:
    """An answer with the platform's signature."""
    body = value if isinstance(value, bytes) else b"" if value is None else msgspec.json.encode(value)
    return answer(status, body, headers_for(body, at=clock.now(), serial=KEY_ID) | changes)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wechat():
    async with scripted() as script:
        yield script


@pytest_asyncio.fixture(loop_scope="session")
async def pay(wechat, monkeypatch):
    monkeypatch.setattr(pay_module, "FIRST_PAUSE_S", 0.001)
    clock.freeze(NOW)
    transport = Transport()
    yield Pay(transport, f"{wechat.base_url}/mock/wechat/", merchant(), trust())
    await transport.aclose()
    clock.reset()


async def create(pay: Pay) -> str:
    return await pay.create_jsapi_order(
        "R20261123000001",
        amount_fen=50000,
        description="会员充值 ¥500",
        openid="openid-amy",
        notify_url="https://example.com/v1/wechat/pay/notify",
        expires_at=NOW + timedelta(minutes=30),
    )


def check_signature(request: Received) -> None:
    parts = dict(re.findall(r'(\w+)="([^"]*)"', request.headers["authorization"]))
    assert parts["mchid"] == MCH_ID
    message = f"{request.method}\n{request.target}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode()
    key("merchant").public_key().verify(
        base64.b64decode(parts["signature"]), message + request.body + b"\n", PKCS1v15(), hashes.SHA256()
    )


async def test_creates_an_order_and_signs_what_it_sends(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, PREPARED))

    assert await create(pay) == PREPARED["prepay_id"]

    (request,) = wechat.received
    assert (request.method, request.target) == ("POST", "/mock/wechat/v3/pay/transactions/jsapi")
    assert request.headers["wechatpay-serial"] == KEY_ID
    assert msgspec.json.decode(request.body) == {
        "appid": APP_ID,
        "mchid": MCH_ID,
        "description": "会员充值 ¥500",
        "out_trade_no": "R20261123000001",
        "time_expire": "2026-11-23T20:30:00+08:00",
        "notify_url": "https://example.com/v1/wechat/pay/notify",
        "amount": {"total": 50000, "currency": "CNY"},
        "payer": {"openid": "openid-amy"},
    }
    check_signature(request)


def test_pay_params_are_signed_for_the_phone():
    made = Pay(Transport(), "https://unused", merchant(), trust()).pay_params("wx1", at=NOW, nonce="n0nce")

    assert made["package"] == "prepay_id=wx1"
    assert (made["appId"], made["nonceStr"], made["signType"]) == (APP_ID, "n0nce", "RSA")
    assert made["timeStamp"] == str(int(NOW.timestamp()))
    message = f"{APP_ID}\n{made['timeStamp']}\nn0nce\nprepay_id=wx1\n".encode()
    key("merchant").public_key().verify(base64.b64decode(made["paySign"]), message, PKCS1v15(), hashes.SHA256())


async def test_a_number_with_odd_characters_is_signed_as_it_is_sent(pay: Pay, wechat: Scripted):
    wechat.will(signed(204))

    await pay.close_order("R1|a*b")

    (request,) = wechat.received
    assert request.target == "/mock/wechat/v3/pay/transactions/out-trade-no/R1%7Ca%2Ab/close"
    check_signature(request)


async def test_reads_a_paid_order(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, transaction()))

    order = await pay.query_order("R20261123000001")

    assert order.state is TradeState.SUCCESS
    assert order.payment is not None
    assert order.payment.amount_fen == 50000
    assert order.payment.success_at == datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)
    assert wechat.received[0].target.endswith(f"/out-trade-no/R20261123000001?mchid={MCH_ID}")


async def test_reads_an_order_that_was_paid_and_given_back(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, transaction(trade_state="REFUND")))

    order = await pay.query_order("R20261123000001")

    assert order.state is TradeState.REFUND
    assert order.payment is not None


async def test_reads_an_unpaid_order(pay: Pay, wechat: Scripted):
    unpaid = {"appid": APP_ID, "mchid": MCH_ID, "out_trade_no": "R1", "trade_state": "NOTPAY", "payer": {}}
    wechat.will(signed(200, unpaid))

    order = await pay.query_order("R1")

    assert (order.state, order.payment) == (TradeState.NOTPAY, None)


@pytest.mark.parametrize(
    "changes",
    [{"appid": "wxother"}, {"mchid": "1"}, {"out_trade_no": "R2"}, {"trade_state": "NEW"}, {"amount": {"total": 1}}],
)
async def test_a_signed_answer_about_something_else_decides_nothing(pay: Pay, wechat: Scripted, changes):
    wechat.will(signed(200, transaction(**changes)))

    with pytest.raises(WechatUnavailable):
        await pay.query_order("R20261123000001")


async def test_reads_a_refund(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, REFUND))

    refund = await pay.refund("R1", "F1", amount_fen=40, total_fen=100, reason="订单已关闭")

    assert (refund.refund_id, refund.amount_fen, refund.total_fen) == ("50300001", 40, 100)
    assert (refund.status, refund.success_at) == ("PROCESSING", None)
    assert msgspec.json.decode(wechat.received[0].body) == {
        "out_trade_no": "R1",
        "out_refund_no": "F1",
        "amount": {"refund": 40, "total": 100, "currency": "CNY"},
        "reason": "订单已关闭",
    }


async def test_a_refund_of_another_amount_is_not_believed(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, REFUND))

    with pytest.raises(WechatUnavailable):
        await pay.refund("R1", "F1", amount_fen=41, total_fen=100)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "ORDER_CLOSED", OrderClosed),
        (400, "ORDERCLOSED", OrderClosed),
        (400, "ORDERPAID", OrderPaid),
        (400, "ORDER_PAID", OrderPaid),
        (403, "OUT_TRADE_NO_USED", OutTradeNoUsed),
        (403, "NOT_ENOUGH", NotEnough),
        (404, "ORDER_NOT_EXIST", OrderNotFound),
        (404, "ORDERNOTEXIST", OrderNotFound),
        (400, "INVALID_REQUEST", PayRefused),
        (400, "PARAM_ERROR", PayRefused),
        (403, "NO_AUTH", WechatMisconfigured),
        (401, "SIGN_ERROR", WechatMisconfigured),
        (400, "APPID_MCHID_NOT_MATCH", WechatMisconfigured),
        (429, "FREQUENCY_LIMITED", WechatUnavailable),
    ],
)
async def test_refusals_have_types_and_are_not_sent_again(pay: Pay, wechat: Scripted, status, code, error):
    wechat.will(signed(status, {"code": code, "message": "不行"}))

    with pytest.raises(error) as caught:
        await create(pay)

    assert type(caught.value) is error
    assert len(wechat.received) == 1


@pytest.mark.parametrize(
    ("code", "written"),
    [("PARAM_ERROR", "PARAM_ERROR"), ("13800138000", ""), ("eyJhbGciOi.J9.x", ""), ("A" * 41, ""), ("", "")],
)
async def test_the_log_has_wechat_s_word_for_a_refusal_and_no_values(pay: Pay, wechat: Scripted, code, written, capsys):
    wechat.will(signed(400, {"code": code, "message": "13800138000", "detail": {"value": "openid-amy"}}))

    with pytest.raises(PayRefused):
        await create(pay)

    (line,) = [line for line in "".join(capsys.readouterr()).splitlines() if "wechat.pay_refused" in line]
    assert f"error_code={written} status=400" in line
    assert redact_mapping({"error_code": "PARAM_ERROR"}) == {"error_code": "PARAM_ERROR"}
    for value in ("13800138000", "openid-amy", "eyJ"):
        assert value not in line


async def test_closing_twice_is_closing_but_a_paid_order_stays(pay: Pay, wechat: Scripted):
    wechat.will(signed(400, {"code": "ORDER_CLOSED"}))
    await pay.close_order("R1")

    wechat.will(signed(400, {"code": "ORDERPAID"}))
    with pytest.raises(OrderPaid):
        await pay.close_order("R1")


async def test_an_unknown_refund(pay: Pay, wechat: Scripted):
    wechat.will(signed(404, {"code": "RESOURCE_NOT_EXISTS"}))

    with pytest.raises(RefundNotFound):
        await pay.query_refund("F1")


async def test_the_same_request_is_sent_again_where_wechat_says_so(pay: Pay, wechat: Scripted):
    busy = signed(500, {"code": "SYSTEM_ERROR"})
    wechat.will(busy, b"", signed(200, PREPARED))

    assert await create(pay) == PREPARED["prepay_id"]

    assert len(wechat.received) == 3
    assert len({request.body for request in wechat.received}) == 1
    assert len({request.headers["authorization"] for request in wechat.received}) == 3


@pytest.mark.parametrize("fails", [b"", signed(500, {"code": "SYSTEM_ERROR"}), answer(502, b"bad gateway")])
async def test_three_times_is_enough(pay: Pay, wechat: Scripted, fails):
    wechat.will(fails)

    with pytest.raises(WechatUnavailable) as caught:
        await create(pay)

    assert len(wechat.received) == 3
    assert caught.value.retry_after_s is not None


def spoilt() -> dict[str, bytes]:
    good = signed(200, PREPARED)
    return {
        "unsigned": answer(200, PREPARED),
        "another body": good.replace(b"wx2014", b"wx2015"),
        "unknown serial": signed(200, PREPARED, **{"wechatpay-serial": "4D" * 20}),
        "another key": signed(200, PREPARED, **{"wechatpay-serial": "4B" * 20}),
        "old": answer(
            200, PREPARED, headers_for(msgspec.json.encode(PREPARED), at=NOW - timedelta(minutes=6), serial=KEY_ID)
        ),
        "two nonces": signed(200, PREPARED, **{"Wechatpay-Nonce": "x"}),
        "unsigned refusal": answer(400, {"code": "ORDERPAID"}),
        "not JSON": signed(200, b"<html>"),
        "no prepay_id": signed(200, {"prepay_id": ""}),
        "deep": signed(200, b'{"prepay_id":' + b"[" * 20_000),
    }


@pytest.mark.parametrize("kind", [
    "unsigned", "another body", "unknown serial", "another key", "old", "two nonces", "unsigned refusal", "not JSON",
    "no prepay_id", "deep",
])  # fmt: skip
async def test_an_answer_that_is_not_wechats_decides_nothing(pay: Pay, wechat: Scripted, kind):
    wechat.will(spoilt()[kind])

    with pytest.raises(Unavailable) as caught:
        await create(pay)

    assert type(caught.value) is WechatUnavailable
    assert len(wechat.received) == 1


async def test_an_unsigned_401_points_to_the_configuration(pay: Pay, wechat: Scripted):
    wechat.will(answer(401, {"code": "SIGN_ERROR", "message": "错误的签名，验签失败"}))

    with pytest.raises(WechatMisconfigured):
        await create(pay)


async def test_an_endless_answer_is_cut_off(pay: Pay, wechat: Scripted):
    wechat.will(signed(200, b" " * (MAX_ANSWER_BYTES + 1)))

    with pytest.raises(WechatUnavailable):
        await create(pay)


async def test_redirects_are_not_followed(pay: Pay, wechat: Scripted):
    wechat.will(answer(302, b"", {"Location": f"{wechat.base_url}/elsewhere"}))

    with pytest.raises(WechatUnavailable):
        await create(pay)

    assert {request.target for request in wechat.received} == {"/mock/wechat/v3/pay/transactions/jsapi"}


async def test_a_slow_answer_is_not_waited_for(pay: Pay, wechat: Scripted, monkeypatch):
    monkeypatch.setattr(pay_module, "CALL_S", 0.05)
    wechat.will(lambda _: answer(200, b"")[:20])

    with pytest.raises(WechatUnavailable):
        await create(pay)
