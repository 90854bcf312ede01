"""Orders and refunds of Pay v3, as a merchant's server meets them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from miniapp_mock.simulator import Simulator, SimulatorConfig, build
from tests.miniapp_mock.conftest import connect
from tests.miniapp_mock.merchant import MOUNT, Merchant

JSAPI = "/v3/pay/transactions/jsapi"


async def test_an_order_is_placed_paid_and_found(merchant: Merchant):
    placed = await merchant.order("R202611230001", attach="a=1")
    before = await merchant.query("R202611230001")
    paid = await merchant.pay("R202611230001")
    after = await merchant.query("R202611230001")
    target = f"/v3/pay/transactions/id/{after['transaction_id']}?mchid={merchant.config.mch_id}"
    by_transaction = (await merchant.call("GET", target)).json()

    assert placed.status_code == 200
    assert placed.json()["prepay_id"].startswith("wx")
    assert before["trade_state"] == "NOTPAY"
    assert "transaction_id" not in before
    assert paid.json()["trade_state"] == "SUCCESS"
    assert after["trade_state"] == "SUCCESS"
    assert after["amount"] == {"total": 500, "currency": "CNY", "payer_total": 500, "payer_currency": "CNY"}
    assert after["payer"] == {"openid": "openid-amy"}
    assert after["attach"] == "a=1"
    assert after["success_time"].endswith("+08:00")
    assert by_transaction == after


async def test_the_same_order_again_gives_the_same_prepay_id_and_another_is_refused(merchant: Merchant):
    first, again = await merchant.order("R202611230001"), await merchant.order("R202611230001")
    other = await merchant.order("R202611230001", total=501)

    assert first.json() == again.json()
    assert other.status_code == 400
    assert other.json() == {"code": "INVALID_REQUEST", "message": "201 商户订单号重复"}
    assert (await merchant.query("R202611230001"))["amount"]["total"] == 500


async def test_the_signature_may_cover_the_path_with_or_without_the_mount(merchant: Merchant):
    value = merchant.terms("R202611230001")

    mounted = await merchant.call("POST", JSAPI, value, signed_target=MOUNT + JSAPI)
    bare = await merchant.call("POST", JSAPI, value, signed_target=JSAPI)
    other = await merchant.call("POST", JSAPI, value, signed_target="/v3/pay/transactions/h5")

    assert (mounted.status_code, bare.status_code, other.status_code) == (200, 200, 401)


@pytest.mark.parametrize(
    "changed", [{"mchid": "1"}, {"serial_no": "AB"}, {"timestamp": "1600000000"}, {"timestamp": "x"}, {"extra": "1"}]
)
async def test_refuses_an_authorization_that_is_not_the_merchants(merchant: Merchant, changed: dict[str, str]):
    target = MOUNT + "/v3/certificates"
    header = merchant.authorization("GET", target, b"", **changed)

    answer = await merchant.http.get(target, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["code"] == "SIGN_ERROR"
    assert "wechatpay-signature" not in answer.headers


async def test_refuses_a_body_changed_after_signing(merchant: Merchant):
    header = merchant.authorization("POST", MOUNT + JSAPI, b'{"amount": 1}')

    answer = await merchant.http.post(MOUNT + JSAPI, content=b'{"amount": 2}', headers={"Authorization": header})

    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer x", "WECHATPAY2-SHA256-RSA2048 ", "WECHATPAY2-SHA256-RSA2048 a=b"])
async def test_refuses_other_authorizations(merchant: Merchant, header: str):
    answer = await merchant.http.get(MOUNT + "/v3/certificates", headers={"Authorization": header})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"out_trade_no": "short"}, "/out_trade_no"),
        ({"out_trade_no": "x" * 33}, "/out_trade_no"),
        ({"out_trade_no": "订单一二三四五"}, "/out_trade_no"),
        ({"amount": {"total": 0}}, "/amount/total"),
        ({"amount": {"total": 1.5}}, "/amount/total"),
        ({"amount": {"total": 1, "currency": "USD"}}, "/amount/currency"),
        ({"notify_url": "ftp://x/y"}, "/notify_url"),
        ({"notify_url": "http://x/y?z=1"}, "/notify_url"),
        ({"payer": {}}, "/payer"),
        ({"description": ""}, "/description"),
        ({"time_expire": "tomorrow"}, "/time_expire"),
        ({"time_expire": "2030-01-01T00:00:00"}, "/time_expire"),
    ],
)
async def test_refuses_a_field_and_names_it(merchant: Merchant, changed: dict[str, Any], field: str):
    answer = await merchant.call("POST", JSAPI, merchant.terms("R202611230001") | changed)

    assert answer.status_code == 400
    assert answer.json()["code"] == "PARAM_ERROR"
    assert answer.json()["detail"]["field"] == field


async def test_refuses_another_merchant_or_mini_program(merchant: Merchant):
    appid = await merchant.order("R202611230001", appid="wx-other")
    mchid = await merchant.order("R202611230001", mchid="1900000002")
    query = await merchant.call("GET", "/v3/pay/transactions/out-trade-no/R202611230001?mchid=1900000002")

    assert appid.json()["code"] == "APPID_MCHID_NOT_MATCH"
    assert mchid.json()["code"] == query.json()["code"] == "MCH_NOT_EXISTS"


async def test_an_unknown_order_is_not_found(merchant: Merchant):
    target = f"/v3/pay/transactions/out-trade-no/R%00NONE?mchid={merchant.config.mch_id}"

    assert (await merchant.query("R202611239999"))["code"] == "ORDER_NOT_EXIST"
    assert (await merchant.call("GET", target)).status_code == 404
    assert (await merchant.close("R202611239999")).status_code == 404
    assert (await merchant.pay("R202611239999")).status_code == 404


async def test_answers_are_signed_by_the_name_that_the_request_asks_for(merchant: Merchant):
    config = merchant.config
    target = f"/v3/pay/transactions/out-trade-no/R202611239999?mchid={config.mch_id}"

    plain = await merchant.call("GET", target)
    by_key = await merchant.call("GET", target, serial=config.platform_public_key_id)
    unknown = await merchant.call("GET", target, serial="PUB_KEY_ID_1")

    assert plain.headers["wechatpay-serial"] == config.platform_serial
    assert by_key.headers["wechatpay-serial"] == config.platform_public_key_id
    assert unknown.status_code == 400


async def test_the_certificate_opens_and_has_the_serial(merchant: Merchant):
    item = (await merchant.call("GET", "/v3/certificates")).json()["data"][0]

    pem = merchant.open_bytes(AESGCM(merchant.config.api_v3_key.encode()), item["encrypt_certificate"])
    certificate = x509.load_pem_x509_certificate(pem)

    assert f"{certificate.serial_number:X}" == item["serial_no"] == merchant.config.platform_serial
    assert certificate.public_key() == merchant.platform


async def test_a_closed_order_cannot_be_paid_and_a_paid_one_not_closed(merchant: Merchant):
    await merchant.order("R202611230001")
    await merchant.order("R202611230002")

    closed = await merchant.close("R202611230001")
    paid_after = await merchant.pay("R202611230001")
    await merchant.pay("R202611230002")
    closed_after = await merchant.close("R202611230002")

    assert closed.status_code == 204
    assert closed.content == b""
    assert (await merchant.close("R202611230001")).status_code == 204
    assert paid_after.json()["code"] == "ORDER_CLOSED"
    assert closed_after.json()["code"] == "ORDERPAID"
    assert (await merchant.query("R202611230001"))["trade_state"] == "CLOSED"
    assert (await merchant.order("R202611230001")).json()["code"] == "ORDER_CLOSED"
    assert (await merchant.order("R202611230002")).json()["code"] == "ORDERPAID"


async def test_money_on_its_way_when_the_order_was_closed_still_arrives(merchant: Merchant):
    await merchant.order("R202611230001")
    await merchant.close("R202611230001")

    late = await merchant.pay("R202611230001", {"force": True})

    assert late.json()["trade_state"] == "SUCCESS"
    assert (await merchant.query("R202611230001"))["trade_state"] == "SUCCESS"


async def test_paying_twice_pays_once_and_a_cancel_pays_nothing(merchant: Merchant):
    await merchant.order("R202611230001")

    cancelled = await merchant.pay("R202611230001", {"result": "cancel"})
    first, second = await asyncio.gather(*(merchant.pay("R202611230001") for _ in range(2)))

    assert cancelled.json()["trade_state"] == "NOTPAY"
    assert first.json() == second.json()
    notified = (await merchant.http.get(f"{MOUNT}/notifications")).json()["items"]
    assert len(notified) == 1


async def test_an_order_past_its_time_is_not_payable(merchant: Merchant, simulator: Simulator):
    soon = await merchant.order("R202611230001", time_expire="2020-01-01T00:00:00+08:00")
    await merchant.order("R202611230002", time_expire="2099-01-01T00:00:00+08:00")
    await simulator.platform.store.fetch("UPDATE pay_order SET expires_at = now() - interval '1 s'")

    sheet = (await merchant.http.get(f"{MOUNT}/pay/R202611230002")).json()

    assert soon.json()["code"] == "INVALID_REQUEST"
    assert sheet["payable"] is False
    assert (await merchant.pay("R202611230002")).json()["code"] == "ORDER_EXPIRED"


async def test_the_cashiers_sheet_shows_what_is_paid(merchant: Merchant):
    await merchant.order("R202611230001")

    sheet = (await merchant.http.get(f"{MOUNT}/pay/R202611230001")).json()

    assert (sheet["amount"]["total"], sheet["description"], sheet["payable"]) == (500, "储值 ¥5.00", True)
    assert "payer" not in sheet


async def test_paying_and_closing_at_the_same_moment_have_one_winner(merchant: Merchant):
    for number in range(8):
        out_trade_no = f"R2026112300{number:02}"
        await merchant.order(out_trade_no)

        paid, closed = await asyncio.gather(merchant.pay(out_trade_no), merchant.close(out_trade_no))

        state = (await merchant.query(out_trade_no))["trade_state"]
        expected = {"SUCCESS": (200, 400), "CLOSED": (400, 204)}
        assert (paid.status_code, closed.status_code) == expected[state]


async def test_refunds_in_parts_up_to_what_was_paid(merchant: Merchant):
    await merchant.order("R202611230001")
    unpaid = await merchant.refund("R202611230001", "F0", 100)
    await merchant.pay("R202611230001")

    first = await merchant.refund("R202611230001", "F1", 300)
    again = await merchant.refund("R202611230001", "F1", 300)
    changed = await merchant.refund("R202611230001", "F1", 200)
    too_much = await merchant.refund("R202611230001", "F2", 201)
    wrong_total = await merchant.refund("R202611230001", "F2", 200, total=499)
    rest = await merchant.refund("R202611230001", "F2", 200)
    nothing_left = await merchant.refund("R202611230001", "F3", 1)

    assert [answer.status_code for answer in (unpaid, changed, too_much, wrong_total, nothing_left)] == [400] * 5
    assert (first.status_code, rest.status_code) == (200, 200)
    assert first.json()["status"] == "PROCESSING"
    assert first.json()["refund_id"] == again.json()["refund_id"]
    assert (await merchant.query("R202611230001"))["trade_state"] == "REFUND"


async def test_refunds_at_the_same_moment_never_exceed_what_was_paid(merchant: Merchant):
    await merchant.order("R202611230001")
    await merchant.pay("R202611230001")

    answers = await asyncio.gather(*(merchant.refund("R202611230001", f"F{n}", 200) for n in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400]


async def test_a_refund_is_found_and_succeeds_in_a_moment(merchant: Merchant):
    await merchant.order("R202611230001")
    await merchant.pay("R202611230001")
    await merchant.refund("R202611230001", "F1", 500)
    await asyncio.sleep(merchant.config.refund_s + 0.01)

    found = (await merchant.call("GET", "/v3/refund/domestic/refunds/F1")).json()
    missing = await merchant.call("GET", "/v3/refund/domestic/refunds/F9")

    assert found["status"] == "SUCCESS"
    assert found["amount"]["refund"] == 500
    assert found["success_time"].endswith("+08:00")
    assert (missing.status_code, missing.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")


async def test_a_refund_may_name_the_transaction(merchant: Merchant):
    await merchant.order("R202611230001")
    transaction_id = (await merchant.pay("R202611230001")).json()["transaction_id"]
    body = {"transaction_id": transaction_id, "out_refund_no": "F1"}
    body |= {"amount": {"refund": 5, "total": 500, "currency": "CNY"}}

    answer = await merchant.call("POST", "/v3/refund/domestic/refunds", body)
    other = await merchant.call("POST", "/v3/refund/domestic/refunds", body | {"transaction_id": "4200"})

    assert answer.json()["out_trade_no"] == "R202611230001"
    assert other.status_code == 404


async def test_two_workers_tell_one_story(merchant: Merchant, config: SimulatorConfig):
    await merchant.order("R202611230001")
    second = build(config)

    async with connect(second) as http:
        await http.post(f"{MOUNT}/pay/R202611230001/pay")
    await second.aclose()

    assert (await merchant.query("R202611230001"))["trade_state"] == "SUCCESS"


async def test_two_workers_may_create_the_tables_at_once(simulator_url: str, config: SimulatorConfig):
    apps = [build(config) for _ in range(4)]

    await asyncio.gather(*(app.start() for app in apps))

    await asyncio.gather(*(app.aclose() for app in apps))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"result": "maybe"}', b'{"x": 1}', b"\xff"])
async def test_refuses_a_decision_that_is_none(merchant: Merchant, body: bytes):
    await merchant.order("R202611230001")

    answer = await merchant.http.post(f"{MOUNT}/pay/R202611230001/pay", content=body)

    assert answer.status_code == 400
    assert (await merchant.query("R202611230001"))["trade_state"] == "NOTPAY"


async def test_says_so_where_there_is_no_such_call(merchant: Merchant):
    missing = await merchant.http.get(f"{MOUNT}/v3/pay/nothing")
    method = await merchant.http.delete(f"{MOUNT}/faults")

    assert (missing.status_code, missing.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert method.status_code == 405


async def test_says_so_where_its_database_is_away(config: SimulatorConfig):
    away = build(replace(config, database_url="postgresql://nobody@/none?host=/nowhere"))

    async with connect(away) as http:
        answer = await http.get(f"{MOUNT}/faults")
    await away.aclose()

    assert (answer.status_code, answer.json()["code"]) == (503, "SYSTEM_ERROR")
