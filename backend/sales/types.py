"""Priced purchases: what the rules compute and the documents hold."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from backend.coupons.types import Used
from backend.passes.types import SoldPass
from backend.points.types import LineEarned


class TenderType(StrEnum):
    """How part of a sale is paid."""

    STORED = "stored"
    POINTS = "points"
    REBATE = "rebate"
    COUPON = "coupon"
    GIFT_CARD = "gift_card"
    WECHAT = "wechat"
    CASH = "cash"
    EXTERNAL = "external"


MEMBER_VALUE = frozenset({TenderType.STORED, TenderType.POINTS, TenderType.REBATE, TenderType.GIFT_CARD})
"""Tenders that are the member's own value: they count towards the password-free limits."""


class Line(msgspec.Struct, frozen=True):
    """A line as the till rang it up; amounts in fen. ``cost_fen`` is what a piece costs the chain, if that is known."""

    sku: str
    qty: int
    unit_price_fen: int
    discount_fen: int = 0
    rate_bp: int = 10_000
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    cost_fen: int | None = None


class LineOffer(msgspec.Struct, frozen=True):
    """What a rule takes off a line: ``rate_bp`` of it in 1/10000, or ``piece_fen`` off each piece.

    ``stackable``: the level's discount is taken off what is left; else the better of both.
    """

    rule: str
    rate_bp: int = 0
    piece_fen: int = 0
    stackable: bool = False


class PricedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line with its price: ``payable = qty × price − till's discount − member's discount``.

    ``category`` is our article's, else the till's; ``cost_fen`` what its pieces cost the chain then, if that is known.
    ``offer`` is the rule that gave more than the level alone, as ``id/version``.
    """

    line_no: int
    sku: str
    qty: int
    unit_price_fen: int
    discount_fen: int
    member_discount_fen: int
    payable_fen: int
    rate_bp: int
    name: str | None = None
    category: str | None = None
    cost_fen: int | None = None
    brand: str | None = None
    offer: str | None = None


class Tender(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tender with its amount; ``points`` only for points, ``coupon_id`` only for a coupon."""

    type: TenderType
    amount_fen: int
    points: int = 0
    reference: str | None = None
    coupon_id: str | None = None


class Price(msgspec.Struct, frozen=True):
    """A priced basket."""

    lines: tuple[PricedLine, ...]
    total_fen: int
    discount_fen: int
    payable_fen: int


class SaleBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value part of a sale's document, as it was made; hashed into the chain, so nothing personal.

    ``coupons`` are those of its coupon tenders, in the order in which they took. ``passes`` are what it sold of
    them, in the order of lines and pieces; ``card_id`` is the discount card that gave more than the level.
    ``earned_by`` says what each line earned and by which rules; none where the standard rule alone gave.
    ``override_id`` is what let the till give more than its cashier may.
    """

    order_no: str
    terminal_id: str
    lines: tuple[PricedLine, ...]
    tenders: tuple[Tender, ...]
    total_fen: int
    discount_fen: int
    payable_fen: int
    points_earned: int
    multiplier_bp: int
    paid: dict[str, int]
    waits_until: str | None = None
    occurred_at: str | None = None
    coupons: tuple[Used, ...] = ()
    passes: tuple[SoldPass, ...] = ()
    card_id: str | None = None
    earned_by: tuple[LineEarned, ...] = ()
    override_id: str | None = None


class SaleProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a sale: earned at approval, and what its refunds gave back so far.

    ``earned_by`` is what was earned at approval, as in the body.
    ``line_qty`` and ``line_fen`` by line position, ``tender_fen`` by tender position; ``lots`` by lot id.
    """

    points_earned: int | None = None
    line_qty: tuple[int, ...] = ()
    line_fen: tuple[int, ...] = ()
    tender_fen: tuple[int, ...] = ()
    refunded_fen: int = 0
    points_returned: int = 0
    points_clawed: int = 0
    lots: dict[str, int] = {}
    earned_by: tuple[LineEarned, ...] | None = None


class RefundTender(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes back by one tender; cash and external are paid by the till, a coupon's share by nobody.

    ``reference`` is the gift card that it goes back to.
    """

    type: str
    amount_fen: int
    coupon_id: str | None = None
    reference: str | None = None


class ReturnedCoupon(msgspec.Struct, frozen=True, omit_defaults=True):
    """A coupon that the member has again, or would have if its last day were not over; ``amount_fen`` of a balance."""

    id: str
    state: Literal["available", "expired"]
    amount_fen: int | None = None


class Refund(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refund of a purchase, and the body of its document; ``passes_ended`` are those that its lines had sold."""

    id: str
    refund_fen: int
    by_tender: list[RefundTender]
    points_clawed_back: int
    points_returned: int
    coupons_returned: list[ReturnedCoupon]
    sale_id: str
    at: datetime
    passes_ended: list[str] = []
