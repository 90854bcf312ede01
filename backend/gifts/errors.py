"""Refusals of the gift catalogue. Nothing has moved then."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class GiftNotRedeemable(DomainError):
    """This gift cannot be redeemed now; ``reason`` says why."""

    code = "gift_not_redeemable"
    kind = Kind.CONFLICT


class GiftSoldOut(DomainError):
    """None of this gift is left."""

    code = "gift_sold_out"
    kind = Kind.CONFLICT


class GiftPriceChanged(DomainError):
    """The gift costs something else now: ``points`` and ``pay_fen``, for all pieces; ask the member again."""

    code = "gift_price_changed"
    kind = Kind.CONFLICT


class GiftLimitReached(DomainError):
    """You have redeemed as many of this gift as one may."""

    code = "gift_limit_reached"
    kind = Kind.CONFLICT


class GiftConflict(DomainError):
    """The gift was changed meanwhile, or its state does not allow that."""

    code = "gift_conflict"
    kind = Kind.CONFLICT


class RedemptionConflict(DomainError):
    """The redemption is in a state in which that cannot be done."""

    code = "redemption_conflict"
    kind = Kind.CONFLICT


class GiftCodeInvalid(DomainError):
    """No gift waits in this store under that code."""

    code = "gift_code_invalid"
    kind = Kind.INVALID


class GiftHandedOver(DomainError):
    """This gift was handed over already; ``at`` says when."""

    code = "gift_handed_over"
    kind = Kind.CONFLICT


class GiftSpent(DomainError):
    """What was given was used since, at least in part; it cannot be taken back."""

    code = "gift_spent"
    kind = Kind.CONFLICT
