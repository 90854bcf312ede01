"""Calls to WeChat Pay v3: signed requests, verified answers, typed refusals. Why not a library: docs/adr/0003.

Every call here names its object by the merchant's own number, and WeChat treats the same request sent again as the
same order, close or refund; so each is tried again, three times at most, where WeChat says so (SYSTEM_ERROR, 5xx) or
does not answer. An answer that is not signed decides nothing, whatever it says.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import string
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from backend.kernel import clock, logging

from . import bills, errors, notify
from .errors import CallbackRefused, CallbackUnverified, PayRefused, WechatMisconfigured, WechatUnavailable
from .notify import Trust
from .schemas import BillReady, OrderState, PayProblem, Prepared, RefundState, Transaction
from .signing import Merchant
from .transport import Answer, Transport, Unreachable
from .types import CURRENCY, Order, Refund, RefundStatus, TradeBill, TradeState

log = logging.get(__name__)
T = TypeVar("T")

ATTEMPTS = 3
FIRST_PAUSE_S = 0.1
CALL_S = 12.0
"""What a call may take with all its attempts; a member waits for some of them."""

NOT_NOW_S = 60
"""What WeChat asks for after FREQUENCY_LIMITED; trying again at once would only make it longer."""

MAX_DESCRIPTION = 127
_BEIJING = timezone(timedelta(hours=8))
_PAY_CODE = re.compile(r"[A-Z][A-Z_]{2,39}\Z")
_ALPHABET = string.ascii_letters + string.digits
_ORDERS = "/v3/pay/transactions"
_REFUNDS = "/v3/refund/domestic/refunds"
_BILLS = "/v3/bill/tradebill"
_BILL_FILES = "/v3/billdownload/file"
_WECHATS = ".mch.weixin.qq.com"
BILL_S = 120.0
MOST_PACKED_BYTES = 32 * 1024 * 1024

# WeChat writes some codes with and without underscores, by page and by year: compared without.
_REFUSALS: dict[str, type[PayRefused]] = {
    "ORDERPAID": errors.OrderPaid,
    "ORDERCLOSED": errors.OrderClosed,
    "ORDERNOTEXIST": errors.OrderNotFound,
    "OUTTRADENOUSED": errors.OutTradeNoUsed,
    "NOTENOUGH": errors.NotEnough,
    "USERACCOUNTABNORMAL": errors.PayerAbnormal,
    "NOSTATEMENTEXIST": errors.BillAbsent,
}
_MISCONFIGURED = frozenset(("SIGNERROR", "NOAUTH", "APPIDMCHIDNOTMATCH", "MCHNOTEXISTS", "ACCOUNTERROR"))
_NO_BILL_YET = frozenset(("STATEMENTCREATING", "BILLCREATING"))
_TRY_AGAIN = frozenset(("SYSTEMERROR", "BANKERROR"))


class _TryAgain(Exception):
    """WeChat says that the same request may be sent again."""


class Pay:
    """The merchant's calls to WeChat Pay."""

    def __init__(self, transport: Transport, base_url: str, merchant: Merchant, trust: Trust) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._merchant = merchant
        self._trust = trust

    async def create_jsapi_order(
        self,
        out_trade_no: str,
        *,
        amount_fen: int,
        description: str,
        openid: str,
        notify_url: str,
        expires_at: datetime,
        attach: str = "",
    ) -> str:
        """Open an order for that payer and return its ``prepay_id``; the same call again returns one again."""
        document: dict[str, Any] = {
            "appid": self._trust.app_id,
            "mchid": self._trust.mch_id,
            "description": description[:MAX_DESCRIPTION],
            "out_trade_no": out_trade_no,
            "time_expire": expires_at.astimezone(_BEIJING).isoformat(timespec="seconds"),
            "notify_url": notify_url,
            "amount": {"total": amount_fen, "currency": CURRENCY},
            "payer": {"openid": openid},
        }
        if attach:
            document["attach"] = attach
        answer = await self._call("create_order", "POST", f"{_ORDERS}/jsapi", document)
        return _decode(answer, Prepared).prepay_id

    def pay_params(self, prepay_id: str, *, at: datetime, nonce: str) -> dict[str, str]:
        """The arguments of ``wx.requestPayment``, signed."""
        unix, package = str(int(at.timestamp())), f"prepay_id={prepay_id}"
        message = f"{self._trust.app_id}\n{unix}\n{nonce}\n{package}\n".encode()
        return {
            "appId": self._trust.app_id,
            "timeStamp": unix,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self._merchant.sign(message),
        }

    async def query_order(self, out_trade_no: str) -> Order:
        """How the order stands at WeChat; ``OrderNotFound`` where it never arrived there."""
        path = f"{_ORDERS}/out-trade-no/{quote(out_trade_no, safe='')}?mchid={self._trust.mch_id}"
        answer = await self._call("query_order", "GET", path)
        order = _decode(answer, OrderState)
        if (order.appid, order.mchid, order.out_trade_no) != (self._trust.app_id, self._trust.mch_id, out_trade_no):
            raise _strange("query_order")
        try:
            state = TradeState(order.trade_state)
        except ValueError:
            raise _strange("query_order") from None
        if not state.paid:
            return Order(out_trade_no=out_trade_no, state=state)
        try:
            payment = notify.payment_of(self._trust, _decode(answer, Transaction), expect=state)
        except CallbackRefused:
            raise _strange("query_order") from None
        return Order(out_trade_no=out_trade_no, state=state, payment=payment)

    async def close_order(self, out_trade_no: str) -> None:
        """Make sure that the order can no longer be paid; ``OrderPaid`` when it was. A closed one is closed again."""
        path = f"{_ORDERS}/out-trade-no/{quote(out_trade_no, safe='')}/close"
        try:
            await self._call("close_order", "POST", path, {"mchid": self._trust.mch_id})
        except errors.OrderClosed:
            return

    async def refund(
        self,
        out_trade_no: str,
        out_refund_no: str,
        *,
        amount_fen: int,
        total_fen: int,
        reason: str = "",
        notify_url: str = "",
    ) -> Refund:
        """Give back a part of an order's total; the same refund number again is the same refund."""
        document: dict[str, Any] = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "amount": {"refund": amount_fen, "total": total_fen, "currency": CURRENCY},
        }
        if reason:
            document["reason"] = reason[:80]
        if notify_url:
            document["notify_url"] = notify_url
        answer = await self._call("refund", "POST", _REFUNDS, document)
        refund = _refund(_decode(answer, RefundState), out_refund_no, "refund")
        if (refund.out_trade_no, refund.amount_fen) != (out_trade_no, amount_fen):
            raise _strange("refund")
        return refund

    async def query_refund(self, out_refund_no: str) -> Refund:
        """How the refund stands; ``RefundNotFound`` where it never arrived at WeChat."""
        try:
            answer = await self._call("query_refund", "GET", f"{_REFUNDS}/{quote(out_refund_no, safe='')}")
        except errors.OrderNotFound as error:
            raise errors.RefundNotFound(error.wechat_code) from None
        return _refund(_decode(answer, RefundState), out_refund_no, "query_refund")

    async def trade_bill(self, day: date) -> TradeBill:
        """The bill of a day of Beijing's, whole and checked; there is one for the last three months.

        ``BillAbsent`` where nothing was paid or given back, ``BillNotReady`` before it is made, ``BillSpoilt`` where
        what came is not what was announced. Parsing takes a thread.
        """
        path = f"{_BILLS}?bill_date={day:%Y-%m-%d}&bill_type=ALL&tar_type=GZIP"
        try:
            ready = _decode(await self._call("trade_bill", "GET", path), BillReady)
        except PayRefused as refused:
            if refused.wechat_code.replace("_", "") in _NO_BILL_YET:
                raise errors.BillNotReady(retry_after_s=NOT_NOW_S) from None
            raise
        packed = await self._download(httpx.URL(ready.download_url))
        return await asyncio.to_thread(_read_bill, packed, ready.hash_value.lower(), day)

    async def _download(self, url: httpx.URL) -> bytes:
        """A bill's file, of WeChat's own host only. Its answer is not signed: the digest, which was, proves it."""
        own = httpx.URL(self._base_url)
        beside = own.host.endswith(_WECHATS) and url.host.endswith(_WECHATS) and url.port is None
        same = url.scheme == own.scheme and (beside or url.netloc == own.netloc)
        if not same or not url.path.endswith(_BILL_FILES):
            raise _strange("download_bill")
        target = url.raw_path.decode()
        authorization = self._merchant.authorization("GET", target, b"", unix=clock.unix(), nonce=new_nonce())
        answer = await self._transport.send(
            "download_bill",
            "GET",
            url,
            headers={"Authorization": authorization},
            most_bytes=MOST_PACKED_BYTES,
            total_s=BILL_S,
        )
        if answer.status != 200:
            log.warning("wechat.bill_not_downloaded", status=answer.status)
            raise WechatUnavailable(retry_after_s=NOT_NOW_S)
        return answer.body

    async def _call(self, call: str, method: str, path: str, document: dict[str, Any] | None = None) -> bytes:
        """The verified body of a success, after at most ``ATTEMPTS`` attempts at the same request."""
        url = httpx.URL(self._base_url + path)
        body = b"" if document is None else msgspec.json.encode(document)
        try:
            async with asyncio.timeout(CALL_S):
                for attempt in range(1, ATTEMPTS):
                    try:
                        return await self._attempt(call, method, url, body)
                    except (_TryAgain, Unreachable):
                        await asyncio.sleep(FIRST_PAUSE_S * 2**attempt * (0.5 + secrets.randbelow(1000) / 1000))
                return await self._attempt(call, method, url, body)
        except (_TryAgain, TimeoutError):
            raise WechatUnavailable(retry_after_s=2) from None

    async def _attempt(self, call: str, method: str, url: httpx.URL, body: bytes) -> bytes:
        target = url.raw_path.decode()
        headers = {
            "Authorization": self._merchant.authorization(method, target, body, unix=clock.unix(), nonce=new_nonce())
        }
        if body:
            headers["Content-Type"] = "application/json"
        if self._trust.keys.wanted_serial:
            headers["Wechatpay-Serial"] = self._trust.keys.wanted_serial
        answer = await self._transport.send(call, method, url, content=body or None, headers=headers)
        try:
            notify.verify_signature(self._trust, answer.headers, answer.body, clock.now())
        except CallbackUnverified as error:
            raise _unsigned(call, answer, error.reason) from None
        if 200 <= answer.status < 300:
            return answer.body
        raise _refusal(call, answer)


def _read_bill(packed: bytes, sha1: str, day: date) -> TradeBill:
    try:
        text = bills.unpack(packed)
        if hashlib.sha1(text, usedforsecurity=False).hexdigest() != sha1:
            raise bills.BillUnreadable("another digest than announced")
        bill = bills.parse(text)
        bills.check_day(bill, day)
        return msgspec.structs.replace(bill, sha1=sha1)
    except bills.BillUnreadable as error:
        log.error("wechat.bill_spoilt", why=str(error))
        raise errors.BillSpoilt(retry_after_s=NOT_NOW_S) from None


def new_nonce() -> str:
    """32 random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(32))


def _code_of(answer: Answer) -> str:
    """WeChat's own word for what was wrong (``PARAM_ERROR``), or nothing for what is no such word: it is logged."""
    try:
        code = msgspec.json.decode(answer.body, type=PayProblem).code
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    return code if _PAY_CODE.match(code) else ""


def _unsigned(call: str, answer: Answer, reason: str) -> Exception:
    """What an answer without the platform's signature is worth: nothing, but the log says what it looked like.

    WeChat signs no answer to a request whose own signature it refused; neither do gateways in between.
    """
    code = _code_of(answer)
    log.error("wechat.pay_unsigned", call=call, status=answer.status, error_code=code, reason=reason)
    if answer.status == 401:
        return WechatMisconfigured()
    if answer.status == 429:
        return WechatUnavailable(retry_after_s=NOT_NOW_S)
    return _TryAgain() if answer.status >= 500 else WechatUnavailable(retry_after_s=NOT_NOW_S)


def _refusal(call: str, answer: Answer) -> Exception:
    said = _code_of(answer)
    log.warning("wechat.pay_refused", call=call, status=answer.status, error_code=said)
    code = said.replace("_", "")
    if known := _REFUSALS.get(code):
        return known(code)
    if code == "RESOURCENOTEXISTS":
        return errors.OrderNotFound(code)
    if code in _MISCONFIGURED or answer.status == 401:
        return WechatMisconfigured()
    if answer.status == 429:
        return WechatUnavailable(retry_after_s=NOT_NOW_S)
    if code in _TRY_AGAIN or answer.status >= 500:
        return _TryAgain()
    return PayRefused(code)


def _decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _strange(shape.__name__) from None


def _strange(call: str) -> WechatUnavailable:
    log.error("wechat.pay_strange_answer", call=call)
    return WechatUnavailable(retry_after_s=NOT_NOW_S)


def _refund(state: RefundState, out_refund_no: str, call: str) -> Refund:
    statuses = set(RefundStatus)
    if state.out_refund_no != out_refund_no or state.status not in statuses or state.amount.currency != CURRENCY:
        raise _strange(call)
    return Refund(
        out_trade_no=state.out_trade_no,
        out_refund_no=state.out_refund_no,
        refund_id=state.refund_id,
        amount_fen=state.amount.refund,
        total_fen=state.amount.total,
        status=state.status,
        success_at=notify.utc(state.success_time),
    )
