"""Pay v3 notifications, verified. Pure: no I/O, no clock; whatever comes in, a value or a ``DomainError`` comes out.

In this order: headers, time, signature, envelope, decryption, then what it says. Source: pay.weixin.qq.com,
支付成功回调通知, 退款结果通知, 回调处理逻辑注意事项. WeChat also sends notifications with a wrong signature
(``WECHATPAY/SIGNTEST/``) to see whether they are refused: they are, like any other.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import CallbackRefused, CallbackUnverified
from .schemas import EncryptedResource, Notification, RefundNotice, Transaction
from .signing import PlatformKeys
from .types import CURRENCY, Payment, Refund, RefundStatus, TradeState

MAX_SKEW_S = 300
MAX_BODY_BYTES = 64 * 1024
T = TypeVar("T")

_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}\Z")
_NONCE = re.compile(r"[\x21-\x7e]{1,128}\Z")
_SERIAL = re.compile(r"[0-9A-Za-z_]{1,128}\Z")
_SIGNATURE = re.compile(r"[0-9A-Za-z+/=]{1,1024}\Z")
_REFUND_EVENTS = {f"REFUND.{status}": status for status in ("SUCCESS", "ABNORMAL", "CLOSED")}


class Trust:
    """Whom and what this merchant believes: the platform's keys, the APIv3 key, its own names."""

    def __init__(self, keys: PlatformKeys, *, api_v3_key: str, app_id: str, mch_id: str) -> None:
        self.keys = keys
        self.app_id = app_id
        self.mch_id = mch_id
        self._aes = AESGCM(api_v3_key.encode())

    def decrypt(self, resource: EncryptedResource) -> bytes:
        """The resource in the clear; ``CallbackRefused`` when it was not sealed with our APIv3 key."""
        try:
            sealed = base64.b64decode(resource.ciphertext, validate=True)
            return self._aes.decrypt(resource.nonce.encode(), sealed, resource.associated_data.encode())
        except (InvalidTag, binascii.Error, ValueError, OverflowError):
            raise CallbackRefused("ciphertext") from None


def verify_signature(trust: Trust, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Refuse what the platform did not sign within the last (or next) 300 s; ``headers`` by lower-case name."""
    timestamp = headers.get("wechatpay-timestamp", "")
    nonce = headers.get("wechatpay-nonce", "")
    serial = headers.get("wechatpay-serial", "")
    signature = headers.get("wechatpay-signature", "")
    well_formed = (
        _TIMESTAMP.match(timestamp) and _NONCE.match(nonce) and _SERIAL.match(serial) and _SIGNATURE.match(signature)
    )
    if not well_formed or len(body) > MAX_BODY_BYTES:
        raise CallbackUnverified("headers")
    if abs(now.timestamp() - int(timestamp)) > MAX_SKEW_S:
        raise CallbackUnverified("timestamp")
    if not trust.keys.verify(serial, signature, timestamp=timestamp, nonce=nonce, body=body):
        raise CallbackUnverified("signature")


def verify_payment(trust: Trust, headers: Mapping[str, str], body: bytes, now: datetime) -> Payment:
    """The payment a notification reports; anything that is not surely a payment to this merchant is refused.

    Whether the amount is the order's is for the caller, who knows the order.
    """
    notification = _open(trust, headers, body, now)
    if notification.event_type != "TRANSACTION.SUCCESS":
        raise CallbackRefused("event_type")
    paid = _decode(trust.decrypt(notification.resource), Transaction)
    return payment_of(trust, paid, expect=TradeState.SUCCESS)


def verify_refund(trust: Trust, headers: Mapping[str, str], body: bytes, now: datetime) -> Refund:
    """The end of a refund that a notification reports."""
    notification = _open(trust, headers, body, now)
    status = _REFUND_EVENTS.get(notification.event_type)
    if status is None:
        raise CallbackRefused("event_type")
    notice = _decode(trust.decrypt(notification.resource), RefundNotice)
    if notice.mchid != trust.mch_id:
        raise CallbackRefused("mchid")
    if notice.refund_status != status:
        raise CallbackRefused("refund_status")
    if notice.amount.currency != CURRENCY or notice.amount.refund > notice.amount.total:
        raise CallbackRefused("amount")
    if status == RefundStatus.SUCCESS and notice.success_time is None:
        raise CallbackRefused("success_time")
    return Refund(
        out_trade_no=notice.out_trade_no,
        out_refund_no=notice.out_refund_no,
        refund_id=notice.refund_id,
        amount_fen=notice.amount.refund,
        total_fen=notice.amount.total,
        status=status,
        success_at=utc(notice.success_time),
    )


def payment_of(trust: Trust, paid: Transaction, *, expect: TradeState) -> Payment:
    """A transaction that is ours, in yuan and in that state, as a payment; ``CallbackRefused`` otherwise."""
    if paid.appid != trust.app_id:
        raise CallbackRefused("appid")
    if paid.mchid != trust.mch_id:
        raise CallbackRefused("mchid")
    if paid.amount.currency != CURRENCY:
        raise CallbackRefused("currency")
    if paid.trade_state != expect:
        raise CallbackRefused("trade_state")
    success_at = utc(paid.success_time)
    assert success_at is not None
    return Payment(
        out_trade_no=paid.out_trade_no,
        transaction_id=paid.transaction_id,
        amount_fen=paid.amount.total,
        currency=paid.amount.currency,
        success_at=success_at,
        openid=paid.payer.openid,
        trade_state=paid.trade_state,
        attach=paid.attach,
    )


def _open(trust: Trust, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
    verify_signature(trust, headers, body, now)
    return _decode(body, Notification)


def _decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        raise CallbackRefused("shape") from None


def utc(at: datetime | None) -> datetime | None:
    """That instant in UTC; ``CallbackRefused`` for one that does not exist there."""
    try:
        return at.astimezone(UTC) if at is not None else None
    except OverflowError:  # year 1 or 9999 with an offset
        raise CallbackRefused("success_time") from None
