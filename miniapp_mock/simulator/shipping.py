"""Shipping information: what a merchant tells of the goods of a paid order before the platform settles it.

Source: developers.weixin.qq.com, 小程序发货信息管理服务.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from starlette.requests import Request
from starlette.routing import Route

from . import orders
from .miniprogram import MiniProgram
from .orders import Order
from .platform import Platform
from .state import Connection
from .wire import WeixinError, decode, read_body

EXPRESS = 1
TOGETHER, SPLIT = 1, 2
PER_CALL, PER_ORDER = 10, 15
AGAIN = 2
"""How often a payment's shipping may be finished: once, and once more to correct it."""

WAITING, SHIPPED, RECEIVED, REFUNDED = 1, 2, 3, 5

_KEEP = """
INSERT INTO shipping (out_trade_no, uploaded_at, logistics_type, delivery_mode, finished, finish_count, parcels)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (out_trade_no) DO UPDATE SET (uploaded_at, logistics_type, delivery_mode, finished, finish_count, parcels)
    = (EXCLUDED.uploaded_at, EXCLUDED.logistics_type, EXCLUDED.delivery_mode, EXCLUDED.finished,
       EXCLUDED.finish_count, EXCLUDED.parcels)
"""


class OrderKey(msgspec.Struct):
    """Which payment: 1 by the merchant's id and number, 2 by the platform's number."""

    order_number_type: int = 0
    mchid: str = ""
    out_trade_no: str = ""
    transaction_id: str = ""


class Contact(msgspec.Struct):
    """Telephone numbers, masked but for the last four digits."""

    consignor_contact: str = ""
    receiver_contact: str = ""


class Parcel(msgspec.Struct):
    """One parcel of the list."""

    tracking_no: str = ""
    express_company: str = ""
    item_desc: str = ""
    contact: Contact | None = None


class Payer(msgspec.Struct):
    """Who paid."""

    openid: str = ""


class Upload(msgspec.Struct):
    """The body of ``upload_shipping_info``."""

    order_key: OrderKey
    logistics_type: int
    delivery_mode: int
    shipping_list: list[Parcel]
    upload_time: datetime
    payer: Payer
    is_all_delivered: bool | None = None


class Wanted(msgspec.Struct):
    """The body of ``get_order``."""

    transaction_id: str = ""
    merchant_id: str = ""
    merchant_trade_no: str = ""


class Shipping:
    """The calls under ``/wxa/sec/order``."""

    def __init__(self, platform: Platform, mini: MiniProgram) -> None:
        self._config = platform.config
        self._store = platform.store
        self._mini = mini

    def routes(self) -> list[Route]:
        """Their paths."""
        answered = self._mini.answered
        return [
            Route("/wxa/sec/order/upload_shipping_info", answered(self.upload), methods=["POST"]),
            Route("/wxa/sec/order/get_order", answered(self.get_order), methods=["POST"]),
        ]

    async def upload(self, request: Request) -> dict[str, Any]:
        """Take what the merchant tells of a paid order; twice finished is the end of it."""
        await self._mini.check_token(request)
        told = decode(await read_body(request), Upload)
        _check(told)
        async with self._store.transaction() as tx:
            order = await self._paid(tx, told.order_key)
            if told.payer.openid != order.terms["payer"]["openid"]:
                raise WeixinError(10060031, "支付单不属于 openid 所指定的用户")
            if order.state == orders.REFUND and await _refunded(tx, order):
                raise WeixinError(10060004, "支付单处于不可发货的状态")
            known = await tx.fetchrow("SELECT * FROM shipping WHERE out_trade_no = $1", order.out_trade_no)
            await tx.execute(_KEEP, order.out_trade_no, *_merged(told, known))
        return {"errcode": 0, "errmsg": "ok"}

    async def get_order(self, request: Request) -> dict[str, Any]:
        """How the platform sees a paid order."""
        await self._mini.check_token(request)
        wanted = decode(await read_body(request), Wanted)
        kind = 2 if wanted.transaction_id else 1
        key = OrderKey(kind, wanted.merchant_id, wanted.merchant_trade_no, wanted.transaction_id)
        async with self._store.transaction() as tx:
            order = await self._paid(tx, key)
            known = await tx.fetchrow("SELECT * FROM shipping WHERE out_trade_no = $1", order.out_trade_no)
            gone = order.state == orders.REFUND and await _refunded(tx, order)
            there = await tx.fetchrow("SELECT 1 FROM receipt WHERE out_trade_no = $1", order.out_trade_no)
        return {"errcode": 0, "errmsg": "ok", "order": _shown(order, known, gone=gone, there=there is not None)}

    async def _paid(self, tx: Connection, key: OrderKey) -> Order:
        found = None
        if key.order_number_type == 1 and key.mchid == self._config.mch_id:
            found = await orders.find(tx, key.out_trade_no, lock=True)
        elif key.order_number_type == 2:
            found = await orders.find_transaction(tx, key.transaction_id)
        if found is None or not found.paid:
            raise WeixinError(10060001, "支付单不存在")
        return found


def _check(told: Upload) -> None:
    if told.logistics_type not in (1, 2, 3, 4):
        raise WeixinError(10060005, "物流类型有误")
    if told.delivery_mode not in (TOGETHER, SPLIT) or told.upload_time.tzinfo is None:
        raise WeixinError(10060014, "参数错误")
    if told.delivery_mode == SPLIT and told.logistics_type != EXPRESS:
        raise WeixinError(10060006, "非快递发货时不允许分拆发货")
    if told.delivery_mode == SPLIT and told.is_all_delivered is None:
        raise WeixinError(10060007, "分拆发货模式下必须填写 is_all_delivered")
    if not 1 <= len(told.shipping_list) <= (PER_CALL if told.delivery_mode == SPLIT else 1):
        raise WeixinError(10060014, "参数错误")
    for parcel in told.shipping_list:
        _check_parcel(parcel, express=told.logistics_type == EXPRESS)


def _check_parcel(parcel: Parcel, *, express: bool) -> None:
    if not parcel.item_desc:
        raise WeixinError(10060008, "商品描述不能为空")
    if len(parcel.item_desc) > 120:
        raise WeixinError(10060009, "商品描述过长")
    if not express:
        return
    if not parcel.tracking_no:
        raise WeixinError(268485226, "物流单号不能为空")
    if not parcel.express_company:
        raise WeixinError(268485227, "物流公司编码不能为空")
    if parcel.express_company == "SF":
        contact = parcel.contact or Contact()
        if not any(_masked(number) for number in (contact.receiver_contact, contact.consignor_contact)):
            raise WeixinError(268485228, "顺丰物流联系方式不能为空")


def _masked(number: str) -> bool:
    return "*" in number and len(number) <= 1024 and number[-4:].isdigit()


def _merged(told: Upload, known: asyncpg.Record | None) -> tuple[Any, ...]:
    """The row to keep: parcels of a split shipment add up until all are told; a finished one may be told anew once."""
    parcels = [msgspec.to_builtins(parcel) for parcel in told.shipping_list]
    finished = told.delivery_mode == TOGETHER or bool(told.is_all_delivered)
    count = 0
    if known is not None:
        if known["finish_count"] >= AGAIN:
            raise WeixinError(10060003, "支付单已使用重新发货机会")
        before = known["logistics_type"], known["delivery_mode"], known["parcels"]
        same = known["finished"] and before == (told.logistics_type, told.delivery_mode, parcels)
        if same or known["uploaded_at"] >= told.upload_time:
            raise WeixinError(10060023, "发货信息未更新")
        count = known["finish_count"]
        if not known["finished"] and known["delivery_mode"] == told.delivery_mode == SPLIT:
            parcels = known["parcels"] + parcels
    if len(parcels) > PER_ORDER:
        raise WeixinError(10060014, "参数错误")
    at, kind, mode = told.upload_time, told.logistics_type, told.delivery_mode
    return at, kind, mode, finished, count + finished, parcels


async def _refunded(tx: Connection, order: Order) -> bool:
    row = await tx.fetchrow(
        "SELECT coalesce(sum(amount), 0) AS given FROM refund WHERE out_trade_no = $1", order.out_trade_no
    )
    return bool(row["given"] >= order.total)


def _shown(order: Order, known: asyncpg.Record | None, *, gone: bool, there: bool) -> dict[str, Any]:
    told = known is not None and known["finished"]
    state = REFUNDED if gone else RECEIVED if there else SHIPPED if told else WAITING
    shown: dict[str, Any] = {
        "transaction_id": order.transaction_id,
        "merchant_id": order.terms["mchid"],
        "sub_merchant_id": "0",
        "merchant_trade_no": order.out_trade_no,
        "description": "",
        "paid_amount": order.total,
        "openid": order.terms["payer"]["openid"],
        "trade_create_time": int(order.created_at.timestamp()),
        "pay_time": int(order.success_at.timestamp()) if order.success_at else 0,
        "in_complaint": False,
        "order_state": state,
        "shipping": {"finish_shipping": False},
    }
    if known is not None:
        at = int(known["uploaded_at"].timestamp())
        shown["description"] = ";".join(parcel["item_desc"] for parcel in known["parcels"])[:120]
        shown["shipping"] = {
            "delivery_mode": known["delivery_mode"],
            "logistics_type": known["logistics_type"],
            "finish_shipping": known["finished"],
            "finish_shipping_count": known["finish_count"],
            "goods_desc": shown["description"],
            "shipping_list": [
                {
                    "tracking_no": parcel["tracking_no"],
                    "express_company": parcel["express_company"],
                    "goods_desc": parcel["item_desc"],
                    "upload_time": at,
                    "contact": parcel.get("contact") or {},
                }
                for parcel in known["parcels"]
            ],
        }
    return shown
