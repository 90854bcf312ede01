"""Pay v3 refunds: idempotent by the merchant's number, never more than was paid, PROCESSING for a moment.

Source: pay.weixin.qq.com, 申请退款, 查询单笔退款, 退款结果通知.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from . import orders
from .config import beijing_time
from .orders import Order
from .pay import NotifyUrl, path_text
from .platform import Platform
from .state import Connection
from .wire import PayError, decode

MOST_REFUNDS = 50


class RefundAmount(msgspec.Struct, frozen=True):
    """Fen to give back, and fen of the whole order."""

    refund: Annotated[int, Meta(ge=1, le=10**10)]
    total: Annotated[int, Meta(ge=1, le=10**10)]
    currency: Literal["CNY"]


class CreateRefund(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the merchant asks for."""

    out_refund_no: Annotated[str, Meta(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
    amount: RefundAmount
    transaction_id: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    out_trade_no: Annotated[str, Meta(min_length=6, max_length=32)] | None = None
    reason: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    notify_url: NotifyUrl | None = None


_FIND = """
SELECT r.out_refund_no, r.refund_id, r.out_trade_no, r.amount, r.created_at, r.success_at,
    r.done_at <= clock_timestamp() AS done, o.total, o.transaction_id
FROM refund r JOIN pay_order o USING (out_trade_no) WHERE r.out_refund_no = $1
"""
_INSERT = """
INSERT INTO refund (out_refund_no, refund_id, out_trade_no, terms, amount, created_at, success_at, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))
"""


class Refunds:
    """The calls of Pay v3 about refunds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._config = platform.config

    def routes(self) -> list[Route]:
        """Their paths, as at api.mch.weixin.qq.com."""
        signed = self._platform.signed
        return [
            Route("/v3/refund/domestic/refunds", signed(self.create), methods=["POST"]),
            Route("/v3/refund/domestic/refunds/{out_refund_no}", signed(self.query), methods=["GET"]),
        ]

    async def create(self, request: Request, body: bytes) -> tuple[int, Any]:
        """Take a refund; the same one again answers the first."""
        wanted = decode(body, CreateRefund)
        if wanted.out_trade_no is None and wanted.transaction_id is None:
            raise PayError(400, "PARAM_ERROR", "transaction_id 和 out_trade_no 必须二选一")
        async with self._platform.store.transaction() as tx:
            order = await _locked_order(tx, wanted)
            row = await tx.fetchrow(_FIND, wanted.out_refund_no)
            if row is None:
                await self._check(tx, order, wanted)
                row = await self._store(tx, order, wanted)
            elif row["out_trade_no"] != order.out_trade_no or row["amount"] != wanted.amount.refund:
                raise PayError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
        self._platform.notifier.wake()
        return 200, _shown(row)

    async def query(self, request: Request, _body: bytes) -> tuple[int, Any]:
        """The refund with the merchant's number."""
        row = await self._platform.store.fetchrow(_FIND, path_text(request, "out_refund_no"))
        if row is None:
            raise PayError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return 200, _shown(row)

    async def _check(self, tx: Connection, order: Order, wanted: CreateRefund) -> None:
        if not order.paid:
            raise PayError(400, "INVALID_REQUEST", "订单状态错误，该订单未支付")
        if wanted.amount.total != order.total:
            raise PayError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
        count, given = await tx.fetchrow(
            "SELECT count(*), coalesce(sum(amount), 0)::bigint FROM refund WHERE out_trade_no = $1", order.out_trade_no
        )
        if given == order.total:
            raise PayError(400, "INVALID_REQUEST", "订单已全额退款")
        if given + wanted.amount.refund > order.total:
            raise PayError(400, "INVALID_REQUEST", "申请退款金额大于订单可退金额")
        if count >= MOST_REFUNDS:
            raise PayError(400, "INVALID_REQUEST", "该订单退款次数已达上限")

    async def _store(self, tx: Connection, order: Order, wanted: CreateRefund) -> asyncpg.Record:
        now = self._config.now()
        await tx.execute(
            _INSERT,
            wanted.out_refund_no,
            orders.new_refund_id(now),
            order.out_trade_no,
            wanted,
            wanted.amount.refund,
            now,
            now + timedelta(seconds=self._config.refund_s),
            self._config.refund_s,
        )
        await orders.set_state(tx, order, orders.REFUND)
        row = await tx.fetchrow(_FIND, wanted.out_refund_no)
        if wanted.notify_url:
            notified = _notified(row, self._config.mch_id)
            notifier = self._platform.notifier
            await notifier.enqueue(tx, "REFUND.SUCCESS", "退款成功", notified, wanted.notify_url, self._config.refund_s)
        return row


async def _locked_order(tx: Connection, wanted: CreateRefund) -> Order:
    out_trade_no = wanted.out_trade_no
    if wanted.transaction_id is not None:
        found = await orders.find_transaction(tx, wanted.transaction_id)
        out_trade_no = found.out_trade_no if found else None
    order = await orders.find(tx, out_trade_no, lock=True) if out_trade_no else None
    if order is None or wanted.out_trade_no not in (None, order.out_trade_no):
        raise PayError(404, "RESOURCE_NOT_EXISTS", "订单不存在")
    return order


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    amount = {
        "total": row["total"],
        "refund": row["amount"],
        "payer_total": row["total"],
        "payer_refund": row["amount"],
        "settlement_refund": row["amount"],
        "settlement_total": row["total"],
        "discount_refund": 0,
        "currency": "CNY",
        "from": [],
    }
    shown = {
        "refund_id": row["refund_id"],
        "out_refund_no": row["out_refund_no"],
        "transaction_id": row["transaction_id"],
        "out_trade_no": row["out_trade_no"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": beijing_time(row["created_at"]),
        "status": "SUCCESS" if row["done"] else "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": amount,
    }
    return shown | {"success_time": beijing_time(row["success_at"])} if row["done"] else shown


def _notified(row: asyncpg.Record, mchid: str) -> dict[str, Any]:
    return {
        "mchid": mchid,
        "out_trade_no": row["out_trade_no"],
        "transaction_id": row["transaction_id"],
        "out_refund_no": row["out_refund_no"],
        "refund_id": row["refund_id"],
        "refund_status": "SUCCESS",
        "success_time": beijing_time(row["success_at"]),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": row["total"],
            "refund": row["amount"],
            "payer_total": row["total"],
            "payer_refund": row["amount"],
        },
    }
