"""The payer's hand: what the WeChat app on the phone does with an order. Not an API that WeChat has."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import orders
from .config import beijing_time
from .faults import KINDS, Faults
from .notify import read_faults
from .orders import Order
from .pay import path_text
from .platform import Platform
from .wire import PayError, decode, json_response, read_body


class PayOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the payer decides; ``force``: the money was on its way when the order was closed or ran out."""

    result: Literal["success", "cancel"] = "success"
    force: bool = False


class Payer:
    """Paying, looking at the cashier's sheet, and making notifications go wrong."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._config = platform.config

    def routes(self) -> list[Route]:
        """Paths of the simulator's own."""
        opened = self._platform.open
        return [
            Route("/pay/{out_trade_no}", opened(self.show), methods=["GET"]),
            Route("/pay/{out_trade_no}/pay", opened(self.pay), methods=["POST"]),
            Route("/faults", opened(self.get_faults), methods=["GET"]),
            Route("/faults", opened(self.put_faults), methods=["PUT"]),
            Route("/notifications", opened(self.notifications), methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """What the cashier's sheet on the phone shows."""
        async with self._platform.store.transaction() as tx:
            order = _found(await orders.find(tx, path_text(request, "out_trade_no")))
        return json_response(self._sheet(order))

    async def pay(self, request: Request) -> Response:
        """Pay (or cancel); paid once, the same answer ever after."""
        body = await read_body(request)
        decision = decode(body, PayOrder) if body.strip() else PayOrder()
        now = self._config.now()
        async with self._platform.store.transaction() as tx:
            order = _found(await orders.find(tx, path_text(request, "out_trade_no"), lock=True))
            if decision.result == "success" and not order.paid:
                if not decision.force:
                    self._check_payable(order)
                order = await orders.pay(tx, order, now)
                paid, url = order.transaction(), order.terms["notify_url"]
                await self._platform.notifier.enqueue(tx, "TRANSACTION.SUCCESS", "支付成功", paid, url)
        self._platform.notifier.wake()
        return json_response(self._sheet(order))

    def _check_payable(self, order: Order) -> None:
        if order.state == orders.CLOSED:
            raise PayError(400, "ORDER_CLOSED", "该订单已关闭，无法支付")
        if order.expires_at <= self._config.now():
            raise PayError(400, "ORDER_EXPIRED", "该订单已过期，无法支付")

    def _sheet(self, order: Order) -> dict[str, Any]:
        shown = {
            **order.transaction(),
            "description": order.terms["description"],
            "prepay_id": order.prepay_id,
            "time_expire": beijing_time(order.expires_at),
            "payable": order.state == orders.NOTPAY and order.expires_at > self._config.now(),
        }
        shown.pop("payer", None)
        return shown

    async def get_faults(self, request: Request) -> Response:
        """The faults that are on."""
        async with self._platform.store.transaction() as tx:
            return json_response(await read_faults(tx))

    async def put_faults(self, request: Request) -> Response:
        """Replace the faults; an empty object ends them all."""
        body = await read_body(request)
        faults = decode(body, Faults) if body.strip() else Faults()
        if unknown := faults.unknown_kinds():
            raise PayError(400, "PARAM_ERROR", f"forge: {unknown[0][:40]!r} is none of {', '.join(KINDS)}")
        await self._platform.notifier.set_faults(faults)
        return json_response(faults)

    async def notifications(self, request: Request) -> Response:
        """The last notifications and how they were answered, newest first."""
        order = request.query_params.get("out_trade_no", "").replace("\x00", "")
        return json_response({"items": await self._platform.notifier.listed(order or None)})


def _found(order: Order | None) -> Order:
    if order is None:
        raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
    return order
