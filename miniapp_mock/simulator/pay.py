"""Pay v3 for a direct merchant: JSAPI orders, queries, closing, the platform's certificates.

Source: pay.weixin.qq.com, JSAPI/小程序下单, 商户订单号查询订单, 微信支付订单号查询订单, 关闭订单, 下载平台证书.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from . import orders
from .config import beijing_time
from .crypto import CERTIFICATE_FROM, CERTIFICATE_UNTIL
from .orders import Order
from .platform import Platform
from .wire import PayError, decode

OutTradeNo = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_\-|*]{6,32}$")]
NotifyUrl = Annotated[str, Meta(pattern=r"^https?://[^\s?#]+$", max_length=255)]


class Amount(msgspec.Struct, frozen=True):
    """Money of an order, in fen."""

    total: Annotated[int, Meta(ge=1, le=10**10)]
    currency: Literal["CNY"] = "CNY"


class Payer(msgspec.Struct, frozen=True):
    """Who is to pay."""

    openid: Annotated[str, Meta(min_length=1, max_length=128)]


class JsapiOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the merchant asks for; members that change nothing here are accepted and kept out."""

    appid: Annotated[str, Meta(min_length=1, max_length=32)]
    mchid: Annotated[str, Meta(min_length=1, max_length=32)]
    description: Annotated[str, Meta(min_length=1, max_length=127)]
    out_trade_no: OutTradeNo
    notify_url: NotifyUrl
    amount: Amount
    payer: Payer
    time_expire: Annotated[str, Meta(max_length=64)] | None = None
    attach: Annotated[str, Meta(max_length=128)] | None = None
    goods_tag: Annotated[str, Meta(max_length=32)] | None = None
    support_fapiao: bool = False


class CloseOrder(msgspec.Struct, frozen=True):
    """The body of a call that closes an order."""

    mchid: str


class Pay:
    """The calls of Pay v3 about orders."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._config = platform.config

    def routes(self) -> list[Route]:
        """Their paths, as at api.mch.weixin.qq.com."""
        signed = self._platform.signed
        by_number = "/v3/pay/transactions/out-trade-no/{out_trade_no}"
        return [
            Route("/v3/pay/transactions/jsapi", signed(self.create), methods=["POST"]),
            Route(by_number, signed(self.query), methods=["GET"]),
            Route(by_number + "/close", signed(self.close), methods=["POST"]),
            Route("/v3/pay/transactions/id/{transaction_id}", signed(self.query_transaction), methods=["GET"]),
            Route("/v3/certificates", signed(self.certificates), methods=["GET"]),
        ]

    async def create(self, request: Request, body: bytes) -> tuple[int, Any]:
        """Take an order and answer its prepay_id."""
        order = decode(body, JsapiOrder)
        self._check_merchant(order.mchid)
        if order.appid != self._config.app_id:
            raise PayError(400, "APPID_MCHID_NOT_MATCH", "商户号mchid与appid不匹配")
        now = self._config.now()
        expires_at = _expiry(order.time_expire, now)
        async with self._platform.store.transaction() as tx:
            placed = await orders.place(tx, msgspec.to_builtins(order), expires_at, now)
        return 200, {"prepay_id": placed.prepay_id}

    async def query(self, request: Request, _body: bytes) -> tuple[int, Any]:
        """The order with the merchant's number."""
        self._check_merchant(request.query_params.get("mchid", ""))
        async with self._platform.store.transaction() as tx:
            order = await orders.find(tx, path_text(request, "out_trade_no"))
        return 200, _found(order).transaction()

    async def query_transaction(self, request: Request, _body: bytes) -> tuple[int, Any]:
        """The order with the platform's number."""
        self._check_merchant(request.query_params.get("mchid", ""))
        async with self._platform.store.transaction() as tx:
            order = await orders.find_transaction(tx, path_text(request, "transaction_id"))
        return 200, _found(order).transaction()

    async def close(self, request: Request, body: bytes) -> tuple[int, Any]:
        """Close an unpaid order; closing it again changes nothing, a paid one is refused."""
        self._check_merchant(decode(body, CloseOrder).mchid)
        async with self._platform.store.transaction() as tx:
            order = _found(await orders.find(tx, path_text(request, "out_trade_no"), lock=True))
            if order.paid:
                raise PayError(400, "ORDERPAID", "该订单已支付")
            await orders.set_state(tx, order, orders.CLOSED)
        return 204, None

    async def certificates(self, request: Request, _body: bytes) -> tuple[int, Any]:
        """The platform's certificate, encrypted with the APIv3 key."""
        pem = self._platform.keys.certificate_pem().encode()
        return 200, {
            "data": [
                {
                    "serial_no": self._config.platform_serial,
                    "effective_time": beijing_time(CERTIFICATE_FROM),
                    "expire_time": beijing_time(CERTIFICATE_UNTIL),
                    "encrypt_certificate": self._platform.keys.encrypt(pem, "certificate"),
                }
            ]
        }

    def _check_merchant(self, mchid: str) -> None:
        if not mchid:
            raise PayError(400, "PARAM_ERROR", "缺少参数mchid", {"field": "mchid", "issue": "required"})
        if mchid != self._config.mch_id:
            raise PayError(400, "MCH_NOT_EXISTS", "商户号不存在")


def path_text(request: Request, name: str) -> str:
    """A parameter of the path; one that no database could hold is like any other that does not exist."""
    value: str = request.path_params[name]
    return "" if "\x00" in value else value


def _found(order: Order | None) -> Order:
    if order is None:
        raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
    return order


def _expiry(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    expires_at: datetime | None = None
    with contextlib.suppress(ValueError):
        expires_at = datetime.fromisoformat(text)
    if expires_at is None or expires_at.tzinfo is None or "T" not in text:
        detail = {"location": "body", "field": "/time_expire", "issue": "not RFC 3339"}
        raise PayError(400, "PARAM_ERROR", "参数错误: time_expire 不符合 rfc3339 格式", detail)
    if expires_at <= now:
        raise PayError(400, "INVALID_REQUEST", "time_expire 必须晚于当前时间")
    return expires_at
