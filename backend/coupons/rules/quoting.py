"""What a quote says of a member's coupons: of those that are named, of every other one, and the best set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ..types import BasketLine, Combination, Held, Occasion, Reason, Use, Verdict
from .combine import check_chosen, combine


class Quoted(msgspec.Struct, frozen=True):
    """``uses`` are the coupons that were named and can be used; ``best`` is the best set with them.

    ``others`` are a verdict on every other coupon: what it takes off beside those, or why it does not.
    """

    uses: tuple[Use, ...]
    others: tuple[Verdict, ...]
    best: Combination


def quote(
    helds: Sequence[Held], basket: Sequence[BasketLine], occasion: Occasion, on: date, chosen: Sequence[str] = ()
) -> Quoted:
    """Look at every coupon on a basket of which some were named; no coupon is refused, each says why not.

    Args:
        helds: the member's coupons, each once; a named one that is not among them is not held.
    """
    best = combine(helds, basket, occasion, on, chosen)
    taken = {use.coupon_id for use in best.uses}
    named = [coupon_id for coupon_id in chosen if coupon_id in taken]
    uses = check_chosen(helds, named, basket, occasion, on)
    assert not isinstance(uses, Verdict)
    refused = {verdict.coupon_id: verdict for verdict in best.unused}
    others = [refused[coupon_id] for coupon_id in chosen if coupon_id not in named]
    others += [_beside(held.id, named, helds, basket, occasion, on) for held in helds if held.id not in chosen]
    return Quoted(uses, tuple(others), best)


def _beside(
    coupon_id: str,
    named: Sequence[str],
    helds: Sequence[Held],
    basket: Sequence[BasketLine],
    occasion: Occasion,
    on: date,
) -> Verdict:
    """What one more coupon would take off; one that would leave another nothing adds nothing."""
    found = check_chosen(helds, [*named, coupon_id], basket, occasion, on)
    if isinstance(found, Verdict):
        return found if found.coupon_id == coupon_id else Verdict(coupon_id=coupon_id, reason=Reason.ADDS_NOTHING)
    amount = next(use.amount_fen for use in found if use.coupon_id == coupon_id)
    return Verdict(coupon_id=coupon_id, amount_fen=amount)
