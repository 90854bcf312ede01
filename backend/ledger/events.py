"""Facts of the main path that several layers hear of; they live here because the plans that carry them do."""

from __future__ import annotations

from backend.kernel.events import Event


class SaleCompleted(Event, frozen=True, kw_only=True):
    """A sale was paid for."""

    member_id: int
    sale_id: str
    store_id: str
    payable_fen: int


class SaleRefunded(Event, frozen=True, kw_only=True):
    """Part or all of a sale was given back."""

    member_id: int
    sale_id: str
    refund_id: str
    refund_fen: int


class Recharged(Event, frozen=True, kw_only=True):
    """A recharge was paid and credited."""

    member_id: int
    recharge_id: str
    pay_fen: int
    bonus_fen: int
    points: int
