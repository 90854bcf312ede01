"""What documents say of purchases, and of what came back of them. No I/O, clock or randomness."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from backend.kernel.money import share_list

from ..types import Line, Paid

ACCRUAL = "accrual"
RETURN = "refund"
PURCHASES = ("sale", "order", ACCRUAL)
KINDS = (*PURCHASES, RETURN)
TAKEN_BY = ("sale", "order", "order_held")
"""The transfers that take a purchase's value from its member."""

BOUGHT = frozenset(
    {
        *("completed", "partly_refunded", "refunded"),  # at a till
        *("paid", "shipped", "ready_for_pickup", "received", "completed"),  # in the mall
        "posted",  # taken while a till was offline, and what came back
    }
)
_MONEY = ("cash", "external", "wechat")
_SAME = {"points": Paid.POINTS, "rebate": Paid.REBATE, "gift_card": Paid.GIFT_CARD}


class _Coupon(msgspec.Struct):
    by_line: list[tuple[int, int]] = []


class _Line(msgspec.Struct):
    line_no: int
    payable_fen: int
    category: str | None = None
    brand: str | None = None


class _Purchase(msgspec.Struct):
    paid: dict[str, int] = {}
    lines: list[_Line] = []
    coupons: list[_Coupon] = []
    total_fen: int = 0
    occurred_at: datetime | None = None


class _Piece(msgspec.Struct):
    line_no: int
    fen: int


class _Return(msgspec.Struct):
    sale_id: str
    refund_fen: int = 0
    lines: list[_Piece] = []


class Bought(msgspec.Struct, frozen=True):
    """What a purchase's document says; one of before lines of offline sales were kept knows the whole only."""

    at: datetime
    paid: dict[str, int]
    lines: tuple[Line, ...]


class Returned(msgspec.Struct, frozen=True):
    """What came back, by line, in fen of what they cost; none named: of the whole purchase, ``fen``."""

    sale_id: str
    lines: dict[int, int]
    fen: int


def bought(kind: str, at: datetime, body: Mapping[str, Any], *, bonus_fen: int) -> Bought:
    """What a purchase's document says; ``bonus_fen`` is what of its stored value was bonus, as the books say."""
    one = msgspec.convert(body, _Purchase)
    if kind == ACCRUAL:
        known = (Line(line.line_no, line.category, line.brand, line.payable_fen, 0) for line in one.lines)
        sold = tuple(known) or (Line(1, None, None, one.total_fen, 0),)
        return Bought(one.occurred_at or at, {Paid.MONEY: sum(line.payable_fen for line in sold)}, sold)
    coupons: dict[int, int] = {}
    for coupon in one.coupons:
        for line_no, fen in coupon.by_line:
            coupons[line_no] = coupons.get(line_no, 0) + fen
    paid = {Paid.MONEY: sum(one.paid.get(kind, 0) for kind in _MONEY)}
    paid |= {Paid.PRINCIPAL: one.paid.get("stored", 0) - bonus_fen, Paid.BONUS: bonus_fen}
    paid |= {name: one.paid.get(kind, 0) for kind, name in _SAME.items()}
    lines = (
        Line(line.line_no, line.category, line.brand, line.payable_fen, coupons.get(line.line_no, 0))
        for line in one.lines
    )
    return Bought(at, {kind.value: fen for kind, fen in paid.items() if fen}, tuple(lines))


def came_back(body: Mapping[str, Any]) -> Returned:
    """What a refund's document says."""
    one = msgspec.convert(body, _Return)
    return Returned(one.sale_id, {piece.line_no: piece.fen for piece in one.lines if piece.fen}, one.refund_fen)


def spread(fen: int, purchase: Bought) -> dict[int, int]:
    """A return that names no lines, over those of its purchase."""
    costs = [line.payable_fen for line in purchase.lines]
    shares = share_list(min(fen, sum(costs)), costs)
    return {line.line_no: part for line, part in zip(purchase.lines, shares, strict=True) if part}
