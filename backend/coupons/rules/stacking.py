"""Which coupons may be used together."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Held, Reason, Stacking, Verdict


def refusal(held: Held, others: Sequence[Held]) -> Verdict | None:
    """Why a coupon may not be used with those others, which may be used together; None where it may."""
    for other in others:
        if other.id == held.id or _exclude(held, other):
            return Verdict(coupon_id=held.id, reason=Reason.NOT_TOGETHER, other=other.id)
    tightest = min((held, *others), key=most_together)
    most = most_together(tightest)
    if len(others) >= most:
        return Verdict(coupon_id=held.id, reason=Reason.TOO_MANY, other=tightest.id, most=most)
    return None


def most_together(held: Held) -> int:
    """How many coupons at most are in a sale with this one."""
    terms = held.terms
    if terms.stacking is Stacking.EXCLUSIVE:
        return 1
    return UNLIMITED if terms.max_together is None else terms.max_together


UNLIMITED = 1_000_000


def _exclude(one: Held, other: Held) -> bool:
    if Stacking.EXCLUSIVE in {one.terms.stacking, other.terms.stacking}:
        return True
    both = one.terms.stacking is other.terms.stacking is Stacking.ONE_OF_GROUP
    return both and one.terms.group == other.terms.group
