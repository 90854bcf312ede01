"""What WeChat's shipping service is told of a paid order: the document of ``upload_shipping_info``, and its answers.

A payment whose goods WeChat was not told of is not settled to the merchant. Telling it twice counts as shipping anew,
which a payment may do once: whoever repeats a call whose answer was lost asks ``get_order`` first.

Source: developers.weixin.qq.com, 小程序发货信息管理服务 (发货信息录入接口, 查询订单发货状态, 相关消息推送).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .errors import CallbackRefused, ShippingOrderUnknown, ShippingRefused, ShippingToldAlready
from .types import Logistics, Parcel, PushMessage, Receipt

UPLOAD_PATH = "/wxa/sec/order/upload_shipping_info"
STATE_PATH = "/wxa/sec/order/get_order"
SETTLEMENT_EVENT = "trade_manage_order_settlement"
"""Sent when a payment's goods have left (with an estimate), and again when they were received and it is settled."""

MAX_PARCELS = 10
"""What one call may tell of."""

_BEIJING = ZoneInfo("Asia/Shanghai")
_MAX_DESC = 120
_BY_NUMBER = 1  # order_number_type: the merchant's id and number
_AT_ONCE, _IN_PARTS = 1, 2  # delivery_mode
_BY_HAND = "2"  # confirm_receive_method
_NEEDS_CONTACT = frozenset(("SF",))
_UNKNOWN = frozenset((10060001,))
_TOLD_OF_RECEIPT = ("merchant_id", "merchant_trade_no", "confirm_receive_method", "confirm_receive_time")
_OUT_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}\Z")
_TOLD = frozenset((10060002, 10060003, 10060023))


def document(
    *,
    mch_id: str,
    out_trade_no: str,
    openid: str,
    logistics: Logistics,
    parcels: Sequence[Parcel],
    at: datetime,
) -> dict[str, Any]:
    """The body of the call: all of this payment is on its way, in 1 to 10 parcels (more than one: by express)."""
    if not 1 <= len(parcels) <= MAX_PARCELS or (len(parcels) > 1 and logistics is not Logistics.EXPRESS):
        raise ValueError("one parcel, or up to ten by express")
    told: dict[str, Any] = {
        "order_key": {"order_number_type": _BY_NUMBER, "mchid": mch_id, "out_trade_no": out_trade_no},
        "logistics_type": int(logistics),
        "delivery_mode": _IN_PARTS if len(parcels) > 1 else _AT_ONCE,
        "shipping_list": [_parcel(parcel, logistics) for parcel in parcels],
        "upload_time": at.astimezone(_BEIJING).isoformat(timespec="milliseconds"),
        "payer": {"openid": openid},
    }
    if len(parcels) > 1:
        told["is_all_delivered"] = True
    return told


def refuse(errcode: int) -> None:
    """Raise what that answer means; 0 is taken."""
    if errcode in _UNKNOWN:
        raise ShippingOrderUnknown(errcode)
    if errcode in _TOLD:
        raise ShippingToldAlready(errcode)
    if errcode != 0:
        raise ShippingRefused(errcode)


def masked(phone: str) -> str:
    """A number as WeChat wants it: the last four digits open, ``138****8000``; nothing for what is no number."""
    digits = "".join(letter for letter in phone if letter.isascii() and letter.isdigit())
    return f"{digits[:-8]}****{digits[-4:]}" if len(digits) >= 8 else ""


def receipt_of(message: PushMessage, mch_id: str) -> Receipt | None:
    """The receipt that an event tells of; None for any other message, other merchants' payments, and shipping alone.

    ``CallbackRefused`` for an event that says so and has no number or no time.
    """
    if message.kind != "event" or message.event.lower() != SETTLEMENT_EVENT:
        return None
    told = {name: str(message.fields.get(name) or "") for name in _TOLD_OF_RECEIPT}
    if told["merchant_id"] != mch_id or told["confirm_receive_time"] in ("", "0"):
        return None
    try:
        received_at = datetime.fromtimestamp(int(told["confirm_receive_time"]), UTC)
    except (ValueError, OverflowError, OSError):
        raise CallbackRefused("message") from None
    if not _OUT_TRADE_NO.match(told["merchant_trade_no"]):
        raise CallbackRefused("message")
    return Receipt(
        out_trade_no=told["merchant_trade_no"],
        received_at=received_at,
        by_hand=told["confirm_receive_method"] == _BY_HAND,
        sealed=message.sealed,
    )


def _parcel(parcel: Parcel, logistics: Logistics) -> dict[str, Any]:
    told: dict[str, Any] = {"item_desc": _short(parcel.item_desc)}
    if logistics is Logistics.EXPRESS:
        told |= {"tracking_no": parcel.tracking_no, "express_company": parcel.carrier}
        if parcel.carrier in _NEEDS_CONTACT:
            told["contact"] = {"receiver_contact": masked(parcel.receiver_phone)}
    return told


def _short(text: str) -> str:
    return text if len(text) <= _MAX_DESC else text[: _MAX_DESC - 1] + "…"
