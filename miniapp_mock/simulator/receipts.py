"""Receipts: the payer confirms inside WeChat that the goods arrived, or the platform does, and the merchant is told.

The event comes from an account of the platform's own. It is sent when a payment's goods have left, with an estimate,
and again when they were received and the payment is settled, with how and when.
Source: developers.weixin.qq.com, 小程序发货信息管理服务, 相关消息推送.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import orders
from .orders import Order
from .platform import Platform
from .push import ORIGINAL_ID, Format, Mode, Push
from .wire import PayError, decode, json_response, read_body

EVENT = "trade_manage_order_settlement"
SYSTEM_OPENID = "oSystem_0123456789abcdef"
METHODS = {"auto": 1, "manual": 2}
_AUTO_AFTER = timedelta(days=10)

_KEEP = "INSERT INTO receipt (out_trade_no, method, at) VALUES ($1, $2, $3) ON CONFLICT (out_trade_no) DO NOTHING"


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the goods were received, and how the merchant is told; ``shipped`` tells only that they have left."""

    method: Literal["manual", "auto", "shipped"] = "manual"
    mode: Mode = "safe"
    format: Format = "xml"


class Receipts:
    """What the payer does with the goods."""

    def __init__(self, platform: Platform, push: Push) -> None:
        self._platform = platform
        self._config = platform.config
        self._push = push

    def routes(self) -> list[Route]:
        """Paths of the simulator's own."""
        return [Route("/shipping/{out_trade_no}/receipt", self._platform.open(self.confirm), methods=["POST"])]

    async def confirm(self, request: Request) -> Response:
        """Receive a shipped payment's goods and tell the merchant; again it tells the same."""
        body = await read_body(request)
        said = decode(body, Confirmation) if body else Confirmation()
        out_trade_no = request.path_params["out_trade_no"]
        async with self._platform.store.transaction() as tx:
            order = await orders.find(tx, out_trade_no, lock=True)
            shipped = await tx.fetchrow("SELECT * FROM shipping WHERE out_trade_no = $1 AND finished", out_trade_no)
            if order is None or shipped is None:
                raise PayError(409, "NOT_SHIPPED", "the platform was not told that the goods have left")
            if said.method != "shipped":
                await tx.execute(_KEEP, out_trade_no, METHODS[said.method], self._config.now())
            known = await tx.fetchrow("SELECT * FROM receipt WHERE out_trade_no = $1", out_trade_no)
        fields = _fields(order, shipped["uploaded_at"])
        if said.method == "shipped":
            fields |= {"CreateTime": _unix(shipped["uploaded_at"])}
            fields |= {"estimated_settlement_time": _unix(shipped["uploaded_at"] + _AUTO_AFTER)}
        else:
            at = _unix(known["at"])
            fields |= {"CreateTime": at, "confirm_receive_method": known["method"]}
            fields |= {"confirm_receive_time": at, "settlement_time": at}
        return json_response(await self._push.send(fields, mode=said.mode, form=said.format))


def _fields(order: Order, shipped_at: datetime) -> dict[str, Any]:
    return {
        "ToUserName": ORIGINAL_ID,
        "FromUserName": SYSTEM_OPENID,
        "CreateTime": 0,
        "MsgType": "event",
        "Event": EVENT,
        "transaction_id": order.transaction_id,
        "merchant_id": order.terms["mchid"],
        "sub_merchant_id": "0",
        "merchant_trade_no": order.out_trade_no,
        "pay_time": _unix(order.success_at) if order.success_at else 0,
        "shipped_time": _unix(shipped_at),
    }


def _unix(at: datetime) -> int:
    return int(at.timestamp())
