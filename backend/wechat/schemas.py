"""WeChat's own shapes, as far as this backend reads or writes them. Fields WeChat adds are ignored.

Source: pay.weixin.qq.com (JSAPI下单, 查询订单, 支付成功回调通知, 申请退款, 退款结果通知); developers.weixin.qq.com
(小程序登录, 获取稳定版接口调用凭据, 获取手机号, 发送客服消息, 发送订阅消息, 消息推送, 小程序发货信息管理服务).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.money import MAX_AMOUNT

Number = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_\-|*@]{1,64}\Z")]
Amount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
Text = Annotated[str, Meta(max_length=512)]
Openid = Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,128}\Z")]
Instant = Annotated[datetime, Meta(tz=True)]


class EncryptedResource(msgspec.Struct, frozen=True):
    """What a notification is about, under AES-256-GCM with the APIv3 key."""

    algorithm: Literal["AEAD_AES_256_GCM"]
    ciphertext: str
    nonce: str
    associated_data: str = ""
    original_type: str = ""


class Notification(msgspec.Struct, frozen=True):
    """The envelope of every Pay v3 notification."""

    id: Text
    event_type: Text
    resource: EncryptedResource


class PaidAmount(msgspec.Struct, frozen=True):
    """Fen; ``total`` is the order's, ``payer_total`` what the payer paid of it himself."""

    total: Amount
    currency: Text


class Payer(msgspec.Struct, frozen=True):
    """Who paid."""

    openid: Openid


class Transaction(msgspec.Struct, frozen=True):
    """A paid order, in notifications and query answers."""

    appid: Text
    mchid: Text
    out_trade_no: Number
    transaction_id: Number
    trade_state: Text
    success_time: Instant
    payer: Payer
    amount: PaidAmount
    attach: Text = ""


class OrderState(msgspec.Struct, frozen=True):
    """What every query answer has, paid or not."""

    appid: Text
    mchid: Text
    out_trade_no: Number
    trade_state: Text


class RefundAmount(msgspec.Struct, frozen=True):
    """Fen; notifications name no currency, answers do."""

    total: Amount
    refund: Amount
    currency: str = "CNY"


class RefundNotice(msgspec.Struct, frozen=True):
    """A refund's end, in a notification; it names the merchant but no appid."""

    mchid: Text
    out_trade_no: Number
    out_refund_no: Number
    refund_id: Number
    refund_status: Text
    amount: RefundAmount
    success_time: Instant | None = None


class RefundState(msgspec.Struct, frozen=True):
    """A refund, in the answers to asking for one and to querying it."""

    out_trade_no: Number
    out_refund_no: Number
    refund_id: Number
    status: Text
    amount: RefundAmount
    success_time: Instant | None = None


class Prepared(msgspec.Struct, frozen=True):
    """The answer to a new order."""

    prepay_id: Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,64}\Z")]


class BillReady(msgspec.Struct, frozen=True):
    """Where a bill lies, and the digest of it unpacked."""

    hash_type: Literal["SHA1"]
    hash_value: Annotated[str, Meta(pattern=r"\A[0-9A-Fa-f]{40}\Z")]
    download_url: Annotated[str, Meta(pattern=r"\Ahttps?://[\x21-\x7e]{1,2000}\Z")]


class PayProblem(msgspec.Struct, frozen=True):
    """A refusal of Pay v3."""

    code: str = ""


class ApiAnswer(msgspec.Struct, frozen=True):
    """What every answer of the mini-program API may carry; HTTP 200 says nothing there."""

    errcode: int = 0


class LoginAnswer(ApiAnswer, frozen=True):
    """The answer to ``jscode2session``."""

    openid: Annotated[str, Meta(max_length=128)] = ""
    session_key: Annotated[str, Meta(max_length=128)] = ""
    unionid: Annotated[str, Meta(max_length=128)] | None = None


class TokenAnswer(ApiAnswer, frozen=True):
    """The answer to ``stable_token``."""

    access_token: Annotated[str, Meta(max_length=1024)] = ""
    expires_in: int = 0


class PhoneInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A phone number; ``country_code`` comes as a number or as text."""

    pure_phone_number: Annotated[str, Meta(pattern=r"\A[0-9]{4,20}\Z")]
    country_code: str | int = "86"


class PhoneAnswer(ApiAnswer, frozen=True):
    """The answer to ``getuserphonenumber``."""

    phone_info: PhoneInfo | None = None


class MediaAnswer(ApiAnswer, frozen=True):
    """The answer to an upload."""

    media_id: Annotated[str, Meta(max_length=256)] = ""


class ShippingDetail(msgspec.Struct, frozen=True):
    """What WeChat was told of an order's parcels."""

    finish_shipping: bool = False


class ShippingOrder(msgspec.Struct, frozen=True):
    """An order of the shipping service: 1 waits for it, 2 shipped, 3 received, 4 done, 5 refunded, 6 to settle."""

    order_state: int
    shipping: ShippingDetail | None = None


class ShippingAnswer(ApiAnswer, frozen=True):
    """The answer to ``get_order``."""

    order: ShippingOrder | None = None
