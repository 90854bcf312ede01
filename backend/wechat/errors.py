"""Refusals: what WeChat refused us, and what we refuse of callbacks that say they are WeChat's."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind, Unavailable


class JsCodeInvalid(DomainError):
    """WeChat does not know this login code, or it was used; call wx.login again."""

    code = "js_code_invalid"
    kind = Kind.INVALID


class PhoneCodeInvalid(DomainError):
    """WeChat does not know this phone code, or it was used; ask for the number again."""

    code = "phone_code_invalid"
    kind = Kind.INVALID


class LoginBlocked(DomainError):
    """WeChat's risk control blocks this user's login."""

    code = "login_blocked"
    kind = Kind.FORBIDDEN


class MessageRefused(DomainError):
    """WeChat does not deliver this message: the conversation is over, too many were sent, or the user declined.

    ``reason`` is one of ``window_closed``, ``too_many``, ``declined``, ``user_unknown``, ``too_long``, ``media_gone``,
    ``other``.
    """

    code = "message_refused"
    kind = Kind.CONFLICT

    def __init__(self, reason: str) -> None:
        super().__init__(extra={"reason": reason})
        self.reason = reason


class MediaGone(DomainError):
    """WeChat does not have this file any more, or never had it: what customers send is kept for three days."""

    code = "media_gone"
    kind = Kind.CONFLICT


class WechatUnavailable(Unavailable):
    """WeChat does not answer as it should; what was asked may or may not have happened."""


class WechatBusy(WechatUnavailable):
    """WeChat says that it does nothing now; what was asked has not happened."""


class WechatMisconfigured(Unavailable):
    """This installation's WeChat settings are missing or refused by WeChat; an operator must look."""


class PayRefused(DomainError):
    """WeChat Pay refused the call; ``wechat_code`` is its own word for it."""

    code = "payment_refused"
    kind = Kind.CONFLICT

    def __init__(self, wechat_code: str = "") -> None:
        super().__init__()
        self.wechat_code = wechat_code


class OrderPaid(PayRefused):
    """The order is paid already."""

    code = "wechat_order_paid"


class OrderClosed(PayRefused):
    """The order is closed and can no longer be paid."""

    code = "wechat_order_closed"


class OrderNotFound(PayRefused):
    """WeChat Pay knows no such order."""

    code = "wechat_order_not_found"


class RefundNotFound(PayRefused):
    """WeChat Pay knows no such refund."""

    code = "wechat_refund_not_found"


class OutTradeNoUsed(PayRefused):
    """That order number was used with other content."""

    code = "wechat_order_no_used"


class NotEnough(PayRefused):
    """The merchant's account does not hold what the refund needs; try again when it does."""

    code = "merchant_balance_insufficient"


class PayerAbnormal(PayRefused):
    """The payer's account was closed or cannot take the refund; pay it back in another way."""

    code = "payer_account_abnormal"


class BillAbsent(PayRefused):
    """There was nothing to bill on that day."""

    code = "bill_absent"


class BillNotReady(WechatUnavailable):
    """WeChat has not made that day's bill yet: it does so in the morning after."""


class BillSpoilt(WechatUnavailable):
    """What came is not the bill that WeChat announced, or none at all: its hash or its sums are others."""


class ShippingRefused(DomainError):
    """WeChat does not take this shipping information; ``errcode`` is its own word for why."""

    code = "shipping_refused"
    kind = Kind.CONFLICT

    def __init__(self, errcode: int = 0) -> None:
        super().__init__()
        self.errcode = errcode


class ShippingOrderUnknown(ShippingRefused):
    """WeChat's shipping service does not know the payment; it learns of one up to some minutes after it was made."""

    code = "shipping_order_unknown"


class ShippingToldAlready(ShippingRefused):
    """WeChat has this payment's shipping information already."""

    code = "shipping_told_already"


class CallbackUnverified(DomainError):
    """The callback is not signed by WeChat."""

    code = "signature_invalid"
    kind = Kind.UNAUTHENTICATED

    def __init__(self, reason: str = "") -> None:
        super().__init__(extra={"message": "签名错误"})
        self.reason = reason
        """For the log; not told to the sender, who may be probing."""


class CallbackRefused(DomainError):
    """The callback is signed, but it is not about this merchant, this mini-program or any order of ours."""

    code = "notification_refused"
    kind = Kind.INVALID

    def __init__(self, reason: str = "") -> None:
        super().__init__(extra={"message": "通知内容不符"})
        self.reason = reason
