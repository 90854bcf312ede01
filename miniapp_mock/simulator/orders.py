"""Orders and what may happen to them: created, paid, closed, refunded; each step decided under the order's row lock."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .config import beijing_time
from .crypto import random_string
from .state import Connection
from .wire import PayError

NOTPAY, SUCCESS, CLOSED, REFUND = "NOTPAY", "SUCCESS", "CLOSED", "REFUND"
_DESCRIPTIONS = {NOTPAY: "订单未支付", SUCCESS: "支付成功", CLOSED: "订单已关闭", REFUND: "订单发生过退款"}
_DEFAULT_LIFE = timedelta(days=7)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands; ``terms`` is what the merchant sent."""

    out_trade_no: str
    terms: dict[str, Any]
    prepay_id: str
    state: str
    total: int
    created_at: datetime
    expires_at: datetime
    transaction_id: str | None
    success_at: datetime | None

    @property
    def paid(self) -> bool:
        """Whether money was taken, given back since or not."""
        return self.state in (SUCCESS, REFUND)

    def transaction(self) -> dict[str, Any]:
        """The order as queries and notifications show it."""
        terms = self.terms
        shown: dict[str, Any] = {
            "appid": terms["appid"],
            "mchid": terms["mchid"],
            "out_trade_no": self.out_trade_no,
            "attach": terms.get("attach") or "",
            "trade_state": self.state,
            "trade_state_desc": _DESCRIPTIONS[self.state],
            "amount": {"total": self.total, "currency": "CNY"},
        }
        if self.paid and self.success_at is not None:
            shown |= {
                "transaction_id": self.transaction_id,
                "trade_type": "JSAPI",
                "bank_type": "OTHERS",
                "success_time": beijing_time(self.success_at),
                "payer": {"openid": terms["payer"]["openid"]},
            }
            shown["amount"] |= {"payer_total": self.total, "payer_currency": "CNY"}
        return shown


_FIND = "SELECT * FROM pay_order WHERE out_trade_no = $1"
_FIND_LOCKED = "SELECT * FROM pay_order WHERE out_trade_no = $1 FOR UPDATE"
_FIND_TRANSACTION = "SELECT * FROM pay_order WHERE transaction_id = $1"
_PLACE = """
INSERT INTO pay_order (out_trade_no, terms, prepay_id, state, total, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (out_trade_no) DO NOTHING
"""
_PAY = "UPDATE pay_order SET state = $2, transaction_id = $3, success_at = $4 WHERE out_trade_no = $1 RETURNING *"


async def find(tx: Connection, out_trade_no: str, *, lock: bool = False) -> Order | None:
    """That order, locked where asked, or None."""
    row = await tx.fetchrow(_FIND_LOCKED if lock else _FIND, out_trade_no)
    return Order(**row) if row else None


async def find_transaction(tx: Connection, transaction_id: str) -> Order | None:
    """The order paid by that transaction, or None."""
    row = await tx.fetchrow(_FIND_TRANSACTION, transaction_id)
    return Order(**row) if row else None


async def place(tx: Connection, terms: dict[str, Any], expires_at: datetime | None, now: datetime) -> Order:
    """Store a new order; the same terms again find it again, other terms under its number are refused."""
    out_trade_no = terms["out_trade_no"]
    await tx.execute(
        _PLACE,
        out_trade_no,
        terms,
        "wx" + now.strftime("%Y%m%d%H%M%S") + secrets.token_hex(10),
        NOTPAY,
        terms["amount"]["total"],
        now,
        expires_at or now + _DEFAULT_LIFE,
    )
    order = await find(tx, out_trade_no, lock=True)
    assert order is not None
    if order.terms != terms:
        raise PayError(400, "INVALID_REQUEST", "201 商户订单号重复")
    if order.paid:
        raise PayError(400, "ORDERPAID", "该订单已支付")
    if order.state == CLOSED:
        raise PayError(400, "ORDER_CLOSED", "该订单已关闭，请重新下单")
    return order


async def pay(tx: Connection, order: Order, now: datetime) -> Order:
    """Mark a locked order paid."""
    row = await tx.fetchrow(
        _PAY,
        order.out_trade_no,
        SUCCESS,
        "42000" + now.strftime("%Y%m%d") + "".join(secrets.choice("0123456789") for _ in range(15)),
        now,
    )
    return Order(**row)


async def set_state(tx: Connection, order: Order, state: str) -> None:
    """Move a locked order to that state."""
    await tx.execute("UPDATE pay_order SET state = $2 WHERE out_trade_no = $1", order.out_trade_no, state)


def new_refund_id(now: datetime) -> str:
    """The platform's number of a refund."""
    return "50300" + now.strftime("%Y%m%d") + "".join(secrets.choice("0123456789") for _ in range(16))


def request_id() -> str:
    """The platform's name for one call."""
    return random_string(32).upper()
