"""Refusals of coupons."""

from __future__ import annotations

from collections.abc import Mapping

from backend.kernel.errors import DomainError, Kind

from .types import Reason


class CouponSoldOut(DomainError):
    """All coupons of this offer are gone."""

    code = "coupon_sold_out"
    kind = Kind.CONFLICT


class CouponLimitReached(DomainError):
    """This member has had as many of these coupons as one may have."""

    code = "coupon_limit_reached"
    kind = Kind.CONFLICT


class CouponNotClaimable(DomainError):
    """This coupon cannot be claimed, or not now."""

    code = "coupon_not_claimable"
    kind = Kind.CONFLICT


class CouponCodeInvalid(DomainError):
    """This is no coupon code; compare it with what is printed."""

    code = "coupon_code_invalid"
    kind = Kind.INVALID


class CouponCodeUsed(DomainError):
    """This coupon code was redeemed already."""

    code = "coupon_code_used"
    kind = Kind.CONFLICT


class CouponNotTransferable(DomainError):
    """This coupon is for its holder only and cannot be given away."""

    code = "coupon_not_transferable"
    kind = Kind.CONFLICT


class CouponGiftOver(DomainError):
    """This gift was accepted, was taken back, or its time is over."""

    code = "coupon_gift_over"
    kind = Kind.CONFLICT


class CouponGiftOwn(DomainError):
    """Who gives a coupon cannot accept it; take it back instead."""

    code = "coupon_gift_own"
    kind = Kind.CONFLICT


class TemplateConflict(DomainError):
    """The template is in a state in which that cannot be done."""

    code = "coupon_template_conflict"
    kind = Kind.CONFLICT


class BatchConflict(DomainError):
    """The codes are not made yet, were exported before, or are void."""

    code = "coupon_batch_conflict"
    kind = Kind.CONFLICT


class CouponRefused(DomainError):
    """This coupon cannot be used in this sale."""

    kind = Kind.CONFLICT


class CouponUnavailable(CouponRefused):
    """This coupon was used, or has ended, a moment ago."""

    code = "coupon_unavailable"


class CouponNotHeld(CouponRefused):
    """This member has no such coupon."""

    code = "coupon_not_held"
    kind = Kind.NOT_FOUND


def _refusal(reason: Reason) -> type[CouponRefused]:
    """The refusal whose code is ``coupon_`` and the reason."""
    if reason is Reason.NOT_HELD:
        return CouponNotHeld
    name = "Coupon" + reason.value.title().replace("_", "")
    return type(name, (CouponRefused,), {"__doc__": CouponRefused.__doc__, "code": f"coupon_{reason}"})


REFUSALS: Mapping[Reason, type[CouponRefused]] = {reason: _refusal(reason) for reason in Reason}
"""Why a coupon that was named is not used, as refusals: the codes are the reasons with ``coupon_`` before them."""
