"""WeChat for the domains above: log in, numbers, orders, refunds, messages; and who is told what WeChat reports.

Never call these inside a database transaction: intent, commit, call, record. ``open_client`` comes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from backend.kernel import clock
from backend.kernel.config import Settings, SettingsError
from backend.kernel.vault import Vault

from . import callbacks, shipping
from .callbacks import on_payment, on_push_message, on_receipt, on_refund
from .errors import JsCodeInvalid, OrderNotFound, OrderPaid, PhoneCodeInvalid, WechatMisconfigured
from .miniprogram import MiniProgram
from .notify import Trust
from .pay import Pay, new_nonce
from .push import Push
from .signing import Merchant, PlatformKeys
from .transport import Transport
from .types import Logistics, Order, Parcel, PushAnswer, Refund, Session, ShippingState, TradeBill, TradeState
from .wording import media_type

__all__ = [
    "accept_payment", "accept_push", "accept_refund", "close_client", "close_order", "create_order", "download_media",
    "echo", "login", "on_payment", "on_push_message", "on_receipt", "on_refund", "open_client", "pay_params",
    "phone_number", "query_order", "query_refund", "refund", "send_custom_card", "send_custom_message",
    "send_custom_picture", "send_subscribe_message", "shipping_state", "upload_picture", "upload_shipping",
]  # fmt: skip

PAY_NOTIFY_PATH = "/v1/wechat/pay/notify"
REFUND_NOTIFY_PATH = "/v1/wechat/pay/refund-notify"
_CODE = re.compile(r"[\x21-\x7e]{1,256}\Z")


class _Gateway(msgspec.Struct, kw_only=True):
    """What this process has of WeChat; a part that is not configured is None."""

    transport: Transport
    base_url: str
    mini_program: MiniProgram | None = None
    pay: Pay | None = None
    trust: Trust | None = None
    push: Push | None = None
    grace_s: float = 5.0
    mch_id: str = ""


T = TypeVar("T")
_gateway: _Gateway | None = None


async def open_client(settings: Settings) -> None:
    """Read the keys and make the client of this process; nothing is connected yet. ``SettingsError`` for bad keys.

    Without an AppID or a merchant id the calls that need it raise ``WechatMisconfigured``.
    """
    global _gateway
    await close_client()
    trust, merchant = _pay_keys(settings)
    app_id = settings.wechat_app_id
    push = Push(settings.wechat_push_token, settings.wechat_encoding_aes_key, app_id) if app_id else None
    transport = Transport()
    _gateway = _Gateway(
        transport=transport,
        base_url=settings.base_url.rstrip("/"),
        mini_program=_mini_program(settings, transport) if app_id else None,
        pay=Pay(transport, settings.wechat_pay_url, merchant, trust) if merchant and trust else None,
        trust=trust,
        push=push,
        grace_s=settings.shutdown_grace_s,
        mch_id=settings.wechat_mch_id,
    )


async def close_client() -> None:
    """Finish what WeChat's notifications started, then close the connections."""
    global _gateway
    if _gateway is not None:
        closing, _gateway = _gateway, None
        await callbacks.drain(closing.grace_s)
        await closing.transport.aclose()


async def login(js_code: str) -> Session:
    """Who the ``wx.login`` code stands for; ``JsCodeInvalid`` for a used, old or invented one."""
    if not _CODE.match(js_code):
        raise JsCodeInvalid
    return await _mini().code2session(js_code)


async def phone_number(code: str) -> str:
    """The phone number behind a ``getPhoneNumber`` code; ``PhoneCodeInvalid`` for a used, old or invented one."""
    if not _CODE.match(code):
        raise PhoneCodeInvalid
    return await _mini().phone_number(code)


async def send_custom_message(openid: str, text: str) -> None:
    """Answer a customer who wrote within 48 hours; ``MessageRefused`` otherwise."""
    await _mini().send_custom_message(openid, text)


async def send_custom_picture(openid: str, media_id: str) -> None:
    """The same with a picture that ``upload_picture`` gave WeChat."""
    await _mini().send_custom_picture(openid, media_id)


async def send_custom_card(openid: str, title: str, page: str, thumb_media_id: str) -> None:
    """The same with a card that opens a page of the mini-program; its picture was given to WeChat before."""
    await _mini().send_custom_card(openid, title, page, thumb_media_id)


async def upload_picture(data: bytes) -> str:
    """Give WeChat a JPEG or PNG for three days; returns its media id."""
    return await _mini().upload_picture(data)


async def download_media(media_id: str) -> bytes:
    """What a customer sent, within its three days, at most 10 MiB; ``MediaGone`` after them."""
    return await _mini().download_media(media_id)


async def send_subscribe_message(
    openid: str, template_id: str, data: dict[str, str], *, page: str = "", language: str = "zh_CN"
) -> None:
    """Send one message the user subscribed to; ``MessageRefused`` otherwise."""
    await _mini().send_subscribe_message(openid, template_id, data, page=page, language=language)


async def create_order(
    out_trade_no: str, *, amount_fen: int, description: str, openid: str, expires_at: datetime, attach: str = ""
) -> str:
    """Open an order at WeChat Pay that reports to this server; returns its ``prepay_id`` (good for two hours)."""
    return await _pay().create_jsapi_order(
        out_trade_no,
        amount_fen=amount_fen,
        description=description,
        openid=openid,
        notify_url=_open_gateway().base_url + PAY_NOTIFY_PATH,
        expires_at=expires_at,
        attach=attach,
    )


def pay_params(prepay_id: str, at: datetime, nonce: str | None = None) -> dict[str, str]:
    """The signed arguments of ``wx.requestPayment``: appId, timeStamp, nonceStr, package, signType, paySign."""
    return _pay().pay_params(prepay_id, at=at, nonce=nonce or new_nonce())


async def query_order(out_trade_no: str) -> Order:
    """How the order stands at WeChat; ``OrderNotFound`` where it never arrived there."""
    return await _pay().query_order(out_trade_no)


async def look_up(out_trade_no: str) -> Order:
    """The same, where one that never arrived there is one that is not paid."""
    try:
        return await query_order(out_trade_no)
    except OrderNotFound:
        return Order(out_trade_no=out_trade_no, state=TradeState.NOTPAY)


async def close_order(out_trade_no: str) -> None:
    """Make sure the order can no longer be paid; ``OrderPaid`` when it was, ``OrderNotFound`` when it never arrived."""
    await _pay().close_order(out_trade_no)


async def close_unpaid(out_trade_no: str) -> bool:
    """Make sure that no money comes for the order any more; False where it came already."""
    try:
        await close_order(out_trade_no)
    except OrderPaid:
        return False
    except OrderNotFound:
        pass  # it was never opened there
    return True


async def refund(out_trade_no: str, out_refund_no: str, *, amount_fen: int, total_fen: int, reason: str = "") -> Refund:
    """Ask for a refund that reports to this server; repeat it with the same numbers until it is answered.

    Accepted is not done: the status is mostly ``PROCESSING``, and the end comes by notification or query.
    """
    return await _pay().refund(
        out_trade_no,
        out_refund_no,
        amount_fen=amount_fen,
        total_fen=total_fen,
        reason=reason,
        notify_url=_open_gateway().base_url + REFUND_NOTIFY_PATH,
    )


async def query_refund(out_refund_no: str) -> Refund:
    """How the refund stands; ``RefundNotFound`` where it never arrived at WeChat."""
    return await _pay().query_refund(out_refund_no)


async def upload_shipping(
    out_trade_no: str, *, openid: str, logistics: Logistics, parcels: Sequence[Parcel], at: datetime
) -> None:
    """Tell WeChat that all of a paid order is on its way or waits at the store.

    Before a repeat ask ``shipping_state``: telling twice spends the payment's one chance to correct it.

    Raises:
        ShippingOrderUnknown: WeChat's shipping service has not heard of the payment yet; later.
        ShippingToldAlready: it knows.
        ShippingRefused: it does not take it; ``errcode`` says why.
    """
    told = shipping.document(
        mch_id=_merchant_id(), out_trade_no=out_trade_no, openid=openid, logistics=logistics, parcels=parcels, at=at
    )
    await _mini().upload_shipping(told)


async def shipping_state(out_trade_no: str) -> ShippingState:
    """What WeChat knows of a paid order's shipping; ``ShippingOrderUnknown`` when nothing."""
    return await _mini().shipping_state(_merchant_id(), out_trade_no)


async def trade_bill(day: date) -> TradeBill:
    """WeChat Pay's bill of a day of Beijing's; ``BillAbsent``, ``BillNotReady`` or ``BillSpoilt`` for none."""
    return await _pay().trade_bill(day)


def takes_payments() -> bool:
    """Whether a merchant is configured."""
    return _open_gateway().pay is not None


async def accept_payment(headers: Mapping[str, str], body: bytes) -> None:
    """Take a payment notification; returns when it is credited (or was), raises when WeChat must come again."""
    await callbacks.accept_payment(_trust(), headers, body)


async def accept_refund(headers: Mapping[str, str], body: bytes) -> None:
    """Take a refund notification; returns when it is recorded (or was)."""
    await callbacks.accept_refund(_trust(), headers, body)


async def accept_push(query: Mapping[str, Any], body: bytes) -> tuple[bytes, str]:
    """Take a message push; returns WeChat's answer and its media type when it was handed on (or had been)."""
    answer, message = await callbacks.accept_push(_push(), query, body, mch_id=_open_gateway().mch_id)
    if answer is PushAnswer.TRANSFER:
        return _push().transfer(message, clock.now()), media_type(message.form)
    return answer.encode(), "text/plain; charset=utf-8"


def echo(query: Mapping[str, Any]) -> str:
    """What WeChat wants back when it checks the push address."""
    return _push().echo(query, clock.now())


def _open_gateway() -> _Gateway:
    if _gateway is None:
        raise RuntimeError("wechat.service.open_client was not called")
    return _gateway


def _mini() -> MiniProgram:
    return _configured(_open_gateway().mini_program)


def _merchant_id() -> str:
    return _configured(_open_gateway().mch_id or None)


def _pay() -> Pay:
    return _configured(_open_gateway().pay)


def _trust() -> Trust:
    return _configured(_open_gateway().trust)


def _push() -> Push:
    return _configured(_open_gateway().push)


def _configured(part: T | None) -> T:
    if part is None:
        raise WechatMisconfigured
    return part


def _mini_program(settings: Settings, transport: Transport) -> MiniProgram:
    return MiniProgram(
        transport,
        settings.wechat_api_url,
        settings.wechat_app_id,
        settings.wechat_app_secret,
        Vault(settings.master_keys),
    )


def _pay_keys(settings: Settings) -> tuple[Trust | None, Merchant | None]:
    """The keys of both sides of WeChat Pay, or nothing where no merchant is configured."""
    if not settings.wechat_mch_id:
        return None, None
    needed = ("app_id", "mch_serial", "mch_key_file", "api_v3_key", "platform_keys_dir")
    missing = [f"HUIYUAN_WECHAT_{name.upper()}" for name in needed if not getattr(settings, f"wechat_{name}")]
    if missing:
        raise SettingsError("\n".join(f"{name}: is required with HUIYUAN_WECHAT_MCH_ID" for name in missing))
    if len(settings.wechat_api_v3_key.encode()) != 32:
        raise SettingsError("HUIYUAN_WECHAT_API_V3_KEY: must be 32 characters")
    trust = Trust(
        PlatformKeys.load(Path(settings.wechat_platform_keys_dir)),
        api_v3_key=settings.wechat_api_v3_key,
        app_id=settings.wechat_app_id,
        mch_id=settings.wechat_mch_id,
    )
    key_file = Path(settings.wechat_mch_key_file)
    return trust, Merchant.load(settings.wechat_mch_id, settings.wechat_mch_serial, key_file)
