"""What a document says of a purchase, or of what came back of one. No I/O, clock or randomness."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

PURCHASES = ("sale", "order", "accrual")
RETURN = "refund"
KINDS = (*PURCHASES, RETURN)
ACCRUAL = "accrual"
BOUGHT = frozenset(
    {
        *("completed", "partly_refunded", "refunded"),  # at a till
        *("paid", "shipped", "ready_for_pickup", "received", "completed"),  # in the mall
        "posted",  # taken while a till was offline, and what came back
    }
)


class _Coupon(msgspec.Struct):
    amount_fen: int = 0


class _Line(msgspec.Struct):
    payable_fen: int = 0


class _Purchase(msgspec.Struct):
    payable_fen: int = 0
    total_fen: int = 0
    points_earned: int = 0
    coupons: list[_Coupon] = []
    occurred_at: datetime | None = None
    lines: list[_Line] = []


class _Progress(msgspec.Struct):
    points_earned: int | None = None


class _Return(msgspec.Struct):
    sale_id: str
    refund_fen: int = 0
    points_clawed_back: int = 0
    coupons: list[_Coupon] = []


class Bought(msgspec.Struct, frozen=True):
    """What a purchase counts: its instant, what was paid but by coupons, and the points it earned."""

    at: datetime
    spent_fen: int
    points: int


class Back(msgspec.Struct, frozen=True):
    """What came back of a purchase: of what was paid but by coupons, and of its points."""

    sale_id: str
    fen: int
    points: int


def bought(kind: str, at: datetime, body: Mapping[str, Any], progress: Mapping[str, Any]) -> Bought:
    """What a purchase's document says; one that a till took offline counts from when it was taken."""
    one = msgspec.convert(body, _Purchase)
    if kind == ACCRUAL:
        # Its total is what prices came to; what was paid stands in its lines, which those of long ago lack.
        paid = sum(line.payable_fen for line in one.lines) if one.lines else one.total_fen
        return Bought(one.occurred_at or at, paid, one.points_earned)
    earned = msgspec.convert(progress, _Progress).points_earned
    spent = one.payable_fen - sum(coupon.amount_fen for coupon in one.coupons)
    return Bought(at, spent, one.points_earned if earned is None else earned)


def came_back(body: Mapping[str, Any]) -> Back:
    """What a refund's document says."""
    one = msgspec.convert(body, _Return)
    spent = one.refund_fen - sum(coupon.amount_fen for coupon in one.coupons)
    return Back(one.sale_id, spent, one.points_clawed_back)
