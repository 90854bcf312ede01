"""Facts of the main path that several layers hear of; they live here because the plans that carry them do."""

from __future__ import annotations

from backend.kernel.events import Event


class SaleCompleted(Event, frozen=True, kw_only=True):
    """A sale was paid for; ``coupon_fen`` of what it cost was paid by coupons, which nobody spent."""

    member_id: int
    sale_id: str
    store_id: str
    payable_fen: int
    coupon_fen: int = 0

    @property
    def spent_fen(self) -> int:
        """What the member paid, by whatever of their own."""
        return self.payable_fen - self.coupon_fen


class SaleRefunded(Event, frozen=True, kw_only=True):
    """Part or all of a sale was given back; ``coupon_fen`` is the coupons' share of it, which nobody gets."""

    member_id: int
    sale_id: str
    refund_id: str
    refund_fen: int
    coupon_fen: int = 0

    @property
    def spent_fen(self) -> int:
        """What the member got back of what they had paid."""
        return self.refund_fen - self.coupon_fen


class AccrualPosted(Event, frozen=True, kw_only=True):
    """Points were credited for a purchase that a till took while it was offline."""

    member_id: int
    accrual_id: str
    store_id: str


class Recharged(Event, frozen=True, kw_only=True):
    """A recharge was paid and credited; ``store_id`` is where, if a till took the money."""

    member_id: int
    recharge_id: str
    pay_fen: int
    bonus_fen: int
    points: int
    store_id: str | None = None


class RechargeReversed(Event, frozen=True, kw_only=True):
    """A till took a recharge back that it had made by mistake; its member has none of it any more."""

    member_id: int
    recharge_id: str
    reversal_id: str
    store_id: str
    pay_fen: int


class StoredReturned(Event, frozen=True, kw_only=True):
    """Bonus came back into its lots otherwise than by a sale's refund; ``by`` is the document that had taken it."""

    by: str


class MergedBooksMoved(Event, frozen=True, kw_only=True):
    """Something was posted to the books of a member who was merged into another: what came is passed on.

    The door writes it itself, with whatever plan of whatever domain it was.
    """
