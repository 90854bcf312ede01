"""What WeChat told us, checked. The text forms (``repr``) leave out who it is about."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

CURRENCY = "CNY"


class TradeState(StrEnum):
    """How an order stands. Source: pay.weixin.qq.com, 查询订单, field ``trade_state``."""

    SUCCESS = "SUCCESS"
    REFUND = "REFUND"
    NOTPAY = "NOTPAY"
    CLOSED = "CLOSED"
    REVOKED = "REVOKED"
    USERPAYING = "USERPAYING"
    PAYERROR = "PAYERROR"

    @property
    def paid(self) -> bool:
        """Whether money arrived: also true of an order that was paid and then refunded."""
        return self in (TradeState.SUCCESS, TradeState.REFUND)


class RefundStatus(StrEnum):
    """How a refund stands. ``ABNORMAL``: the payer's account does not take it; somebody must act."""

    SUCCESS = "SUCCESS"
    CLOSED = "CLOSED"
    PROCESSING = "PROCESSING"
    ABNORMAL = "ABNORMAL"


class _Discreet(msgspec.Struct, frozen=True, kw_only=True):
    """A struct whose ``repr`` is only its name."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Session(_Discreet, frozen=True, kw_only=True):
    """Who logged in. ``session_key`` is a secret between WeChat and this backend."""

    openid: str
    session_key: str
    unionid: str | None = None


class Payment(_Discreet, frozen=True, kw_only=True):
    """One order that was paid. ``amount_fen`` is the order's total, also where WeChat's coupons paid a part."""

    out_trade_no: str
    transaction_id: str
    amount_fen: int
    currency: str
    success_at: datetime
    openid: str
    trade_state: str
    attach: str = ""


class Order(_Discreet, frozen=True, kw_only=True):
    """How an order stands; ``payment`` is there when it was paid."""

    out_trade_no: str
    state: TradeState
    payment: Payment | None = None


class Refund(_Discreet, frozen=True, kw_only=True):
    """How a refund stands; ``success_at`` only when it succeeded. ``amount_fen`` of the order's ``total_fen``."""

    out_trade_no: str
    out_refund_no: str
    refund_id: str
    amount_fen: int
    status: str
    success_at: datetime | None = None
    total_fen: int = 0


class BillKind(StrEnum):
    """What a line of a bill tells of."""

    PAYMENT = "payment"
    REFUND = "refund"


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or a refund as WeChat's bill of a day has it; ``number`` is ours, of the payment or of the refund.

    ``fee`` is what WeChat keeps (negative where it gives that back), in hundred-thousandths of a yuan. ``failed``: a
    refund that reached nobody.
    """

    kind: BillKind
    number: str
    out_trade_no: str
    transaction_id: str
    refund_id: str
    amount_fen: int
    fee: int
    at: datetime
    failed: bool = False


class TradeBill(msgspec.Struct, frozen=True):
    """What WeChat took and gave back for us on a day; ``sha1`` (hex) is of the file it came in."""

    lines: tuple[BillLine, ...]
    sha1: str = ""


class Logistics(IntEnum):
    """How goods get to the member. Source: developers.weixin.qq.com, 发货信息录入接口, field ``logistics_type``."""

    EXPRESS = 1
    SAME_CITY = 2
    VIRTUAL = 3
    SELF_PICKUP = 4


class Parcel(_Discreet, frozen=True, kw_only=True):
    """One parcel of a paid order; only what goes by express has a number and a carrier (WeChat's delivery id).

    ``receiver_phone`` is shown to WeChat masked, and only where the carrier asks for it.
    """

    item_desc: str
    tracking_no: str = ""
    carrier: str = ""
    receiver_phone: str = ""


# Source: 查询订单发货状态, order_state: 3 confirmed, 4 complete, 6 confirmed and to be settled.
_RECEIVED = frozenset((3, 4, 6))


class ShippingState(_Discreet, frozen=True, kw_only=True):
    """What WeChat knows of a paid order's shipping; ``finished``: all of it has been told."""

    order_state: int
    finished: bool

    @property
    def received(self) -> bool:
        """Whether the payer confirmed there that the goods arrived, or WeChat did in their place."""
        return self.order_state in _RECEIVED


class Receipt(_Discreet, frozen=True, kw_only=True):
    """A paid order whose goods were confirmed inside WeChat: by the payer (``by_hand``), or by WeChat's own clock.

    ``sealed``: the message came encrypted, so WeChat wrote it; anything else is to be asked about first.
    """

    out_trade_no: str
    received_at: datetime
    by_hand: bool
    sealed: bool


class PushAnswer(StrEnum):
    """What WeChat is told of a push that was taken: that it is done, or that WeChat's own customer service goes on."""

    TAKEN = "success"
    TRANSFER = "transfer_customer_service"


class PushMessage(_Discreet, frozen=True, kw_only=True):
    """A customer's message (``kind`` text, image…) or an event (``kind`` "event"), as WeChat pushed it.

    ``key`` is the same for every delivery of one message, and 64 characters long. ``fields`` holds everything WeChat
    wrote, by its names; texts only where it came as XML. ``sealed``: it came encrypted, so nobody else wrote it.
    ``form`` is how it was written ("xml" or "json"), and how WeChat reads what it is answered.
    """

    key: str
    openid: str
    kind: str
    event: str
    content: str
    sent_at: datetime
    fields: dict[str, Any]
    sealed: bool = False
    form: str = "xml"
