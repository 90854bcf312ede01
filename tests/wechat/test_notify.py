"""Notifications: what is surely WeChat's and surely ours is read exactly; everything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.errors import DomainError
from backend.kernel.money import MAX_AMOUNT
from backend.wechat import notify
from backend.wechat.errors import CallbackRefused, CallbackUnverified

from .platform import KEY_ID, NOW, SERIAL, headers_for, notification, refund_notice, transaction, trust


@pytest.mark.parametrize("serial", [SERIAL, KEY_ID])
def test_reads_a_payment_signed_under_either_name(serial):
    body = notification(transaction())

    payment = notify.verify_payment(trust(), headers_for(body, serial=serial), body, NOW)

    assert payment.out_trade_no == "R20261123000001"
    assert payment.transaction_id == "4200001234202611230000000001"
    assert (payment.amount_fen, payment.currency) == (50000, "CNY")
    assert payment.success_at == datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)
    assert payment.openid == "openid-amy"
    assert repr(payment) == "<Payment>"


def test_reads_a_refund():
    body = notification(refund_notice(), "REFUND.SUCCESS")

    refund = notify.verify_refund(trust(), headers_for(body), body, NOW)

    assert (refund.out_trade_no, refund.out_refund_no) == ("R20261123000001", "F20261123000001")
    assert (refund.amount_fen, refund.total_fen, refund.status) == (20000, 50000, "SUCCESS")
    assert refund.success_at == datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)


def test_reads_a_refund_that_the_payers_account_did_not_take():
    notice = refund_notice(refund_status="ABNORMAL")
    del notice["success_time"]
    body = notification(notice, "REFUND.ABNORMAL")

    refund = notify.verify_refund(trust(), headers_for(body), body, NOW)

    assert (refund.status, refund.success_at) == ("ABNORMAL", None)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_accepts_a_signature_five_minutes_old_or_early(seconds):
    body = notification(transaction())

    payment = notify.verify_payment(trust(), headers_for(body, at=NOW + timedelta(seconds=seconds)), body, NOW)

    assert payment.out_trade_no == transaction()["out_trade_no"]


@pytest.mark.parametrize("seconds", [-301, 301, -86400])
def test_refuses_a_signature_older_or_earlier_than_that(seconds):
    body = notification(transaction())

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), headers_for(body, at=NOW + timedelta(seconds=seconds)), body, NOW)


@pytest.mark.parametrize("header", ["timestamp", "nonce", "serial", "signature"])
def test_refuses_a_missing_empty_or_enormous_header(header):
    body = notification(transaction())
    good = headers_for(body)

    for value in (None, "", good[f"wechatpay-{header}"] + " ", "1" * 5000):
        bad = {name: text for name, text in good.items() if name != f"wechatpay-{header}"}
        if value is not None:
            bad[f"wechatpay-{header}"] = value
        with pytest.raises(CallbackUnverified):
            notify.verify_payment(trust(), bad, body, NOW)


def test_refuses_a_known_serial_that_did_not_sign():
    body = notification(transaction())
    headers = headers_for(body, serial=SERIAL) | {"wechatpay-serial": KEY_ID}

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), headers, body, NOW)


def test_refuses_wechats_own_probe():
    body = notification(transaction())
    headers = headers_for(body)
    headers["wechatpay-signature"] = "WECHATPAY/SIGNTEST/" + headers["wechatpay-signature"]

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), headers, body, NOW)


def test_bytes_cannot_move_between_nonce_and_body():
    body = notification(transaction())
    headers = headers_for(body)
    moved = headers | {"wechatpay-nonce": headers["wechatpay-nonce"] + "\n" + body[:10].decode()}

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), moved, body[10:], NOW)


BODY = notification(transaction())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_refuses_any_changed_byte(data):
    headers = _signed_once()
    where = data.draw(st.sampled_from(["body", *headers]))
    value = BODY if where == "body" else headers[where].encode()
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != value[at]))
    changed = value[:at] + bytes([other]) + value[at + 1 :]

    body = changed if where == "body" else BODY
    sent = headers if where == "body" else headers | {where: changed.decode("latin-1")}

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), sent, body, NOW)


_HEADERS: dict[str, str] = {}


def _signed_once() -> dict[str, str]:
    if not _HEADERS:
        _HEADERS.update(headers_for(BODY))
    return _HEADERS


NAMES = [f"wechatpay-{name}" for name in ("timestamp", "nonce", "serial", "signature")]
header_values = st.one_of(st.text(max_size=80), st.sampled_from([SERIAL, KEY_ID, str(int(NOW.timestamp()))]))


@settings(max_examples=200, deadline=None)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), header_values),
    body=st.binary(max_size=200),
)
def test_garbage_is_refused_and_nothing_else_happens(headers, body):
    for verify in (notify.verify_payment, notify.verify_refund):
        with pytest.raises(CallbackUnverified):
            verify(trust(), headers, body, NOW)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(resource=st.one_of(st.binary(max_size=100), json_values.map(msgspec.json.encode)), data=st.data())
def test_signed_garbage_raises_nothing_but_refusals(resource, data):
    sealed = notification(resource, data.draw(st.sampled_from(["TRANSACTION.SUCCESS", "REFUND.SUCCESS", ""])))
    body = data.draw(st.sampled_from([sealed, resource]))

    for verify in (notify.verify_payment, notify.verify_refund):
        with pytest.raises(DomainError):
            verify(trust(), headers_for(body), body, NOW)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_signed_payment_with_one_wrong_field_raises_nothing_but_refusals(data):
    paid = transaction()
    name = data.draw(st.sampled_from(sorted(paid)))
    paid[name] = data.draw(json_values)
    body = notification(paid)

    try:
        payment = notify.verify_payment(trust(), headers_for(body), body, NOW)
    except DomainError:
        return
    assert 0 < payment.amount_fen <= MAX_AMOUNT
    assert (payment.currency, payment.trade_state) == ("CNY", "SUCCESS")


amount = transaction()["amount"]


@pytest.mark.parametrize(
    "changes",
    [
        {"appid": "wxffffffffffffffff"},
        {"mchid": "1900009999"},
        {"trade_state": "NOTPAY"},
        {"trade_state": "REFUND"},
        {"amount": amount | {"currency": "USD"}},
        {"amount": amount | {"total": 0}},
        {"amount": amount | {"total": -1}},
        {"amount": amount | {"total": 1.5}},
        {"amount": amount | {"total": "50000"}},
        {"amount": amount | {"total": True}},
        {"amount": amount | {"total": MAX_AMOUNT + 1}},
        {"amount": {}},
        {"out_trade_no": "R1'; --"},
        {"out_trade_no": ""},
        {"transaction_id": None},
        {"success_time": "2026-11-23T19:59:58"},
        {"success_time": "0001-01-01T00:00:00+08:00"},
        {"payer": {}},
        {"payer": {"openid": "a\0b"}},
    ],
)
def test_refuses_a_signed_payment_that_is_not_ours(changes):
    body = notification(transaction(**changes))

    with pytest.raises(CallbackRefused):
        notify.verify_payment(trust(), headers_for(body), body, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"mchid": "1900009999"},
        {"refund_status": "CLOSED"},
        {"success_time": None},
        {"amount": {"total": 100, "refund": 101}},
        {"amount": {"total": 100, "refund": 0}},
        {"amount": {"total": 100, "refund": 100, "currency": "USD"}},
    ],
)
def test_refuses_a_signed_refund_that_cannot_be(changes):
    body = notification(refund_notice(**changes), "REFUND.SUCCESS")

    with pytest.raises(CallbackRefused):
        notify.verify_refund(trust(), headers_for(body), body, NOW)


def test_a_payment_is_not_taken_for_a_refund_nor_a_refund_for_a_payment():
    paid, refunded = notification(transaction()), notification(refund_notice(), "REFUND.SUCCESS")

    with pytest.raises(CallbackRefused):
        notify.verify_refund(trust(), headers_for(paid), paid, NOW)
    with pytest.raises(CallbackRefused):
        notify.verify_payment(trust(), headers_for(refunded), refunded, NOW)


def test_refuses_what_is_sealed_with_another_key():
    body = notification(transaction(), api_v3_key="x" * 32)

    with pytest.raises(CallbackRefused):
        notify.verify_payment(trust(), headers_for(body), body, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "AES"},
        {"nonce": ""},
        {"nonce": "x" * 5000},
        {"ciphertext": ""},
        {"ciphertext": "%%"},
        {"associated_data": "other"},
        {"associated_data": None},
    ],
)
def test_refuses_a_damaged_envelope(changes):
    document = msgspec.json.decode(notification(transaction()))
    document["resource"] |= changes
    body = msgspec.json.encode(document)

    with pytest.raises(CallbackRefused):
        notify.verify_payment(trust(), headers_for(body), body, NOW)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[" * 5000, b'{"resource":' * 2000, b"\xff\xfe", b"1e999"])
def test_refuses_signed_bodies_that_are_no_notification(body):
    with pytest.raises(CallbackRefused):
        notify.verify_payment(trust(), headers_for(body), body, NOW)


def test_refuses_a_body_beyond_64_kib():
    body = b" " * (notify.MAX_BODY_BYTES + 1)

    with pytest.raises(CallbackUnverified):
        notify.verify_payment(trust(), headers_for(body), body, NOW)


def test_fields_that_wechat_may_add_do_no_harm():
    document = msgspec.json.decode(notification(transaction(new_field={"a": [1]}, payer={"openid": "o", "x": 1})))
    body = msgspec.json.encode(document | {"another": True})

    assert notify.verify_payment(trust(), headers_for(body), body, NOW).openid == "o"
