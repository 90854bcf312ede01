"""Priced sales: what the rules compute and the documents hold."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SaleStatus(StrEnum):
    """The life of a sale."""

    AWAITING = "awaiting_confirmation"
    COMPLETED = "completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


class TenderType(StrEnum):
    """How part of a sale is paid."""

    STORED = "stored"
    POINTS = "points"
    REBATE = "rebate"
    COUPON = "coupon"
    GIFT_CARD = "gift_card"
    CASH = "cash"
    EXTERNAL = "external"


MEMBER_VALUE = frozenset({TenderType.STORED, TenderType.POINTS, TenderType.REBATE, TenderType.GIFT_CARD})
"""Tenders that are the member's own value: they count towards the password-free limits."""


class Line(msgspec.Struct, frozen=True):
    """A line as the till rang it up; amounts in fen."""

    sku: str
    qty: int
    unit_price_fen: int
    discount_fen: int = 0
    rate_bp: int = 10_000
    name: str | None = None


class PricedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line with its price: ``payable = qty × price − till's discount − member's discount``."""

    line_no: int
    sku: str
    qty: int
    unit_price_fen: int
    discount_fen: int
    member_discount_fen: int
    payable_fen: int
    rate_bp: int
    name: str | None = None


class Tender(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tender with its amount; ``points`` only for points."""

    type: TenderType
    amount_fen: int
    points: int = 0
    reference: str | None = None


class Price(msgspec.Struct, frozen=True):
    """A priced basket."""

    lines: tuple[PricedLine, ...]
    total_fen: int
    discount_fen: int
    payable_fen: int


class SaleBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value part of a sale's document, as it was made; hashed into the chain, so nothing personal."""

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


class SaleProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a sale: earned at approval, and what its refunds gave back so far.

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
