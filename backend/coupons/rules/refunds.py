"""What becomes of a sale's coupons when it is refunded.

A coupon is a tender. How a refund is spread over tenders is the sale's business: by largest remainder over what is
left of each (``spread`` does the same, with a coupon that is clawed back taken first). These rules say what a coupon's
share then does: to its account, and to who bears its cost. Shares are cumulative, so the last one takes the remainder.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from backend.kernel.money import share_list

from ..types import CouponRefund, RefundPolicy, Terms, Use
from . import costs


def is_earned(use: Use, terms: Terms, kept_fen: Mapping[int, int]) -> bool:
    """Whether what is kept would still have earned the coupon: its lines reach the threshold, and there is something.

    Args:
        kept_fen: what the lines cost before coupons, less what was refunded of them; by line number.
    """
    kept = sum(kept_fen.get(line_no, 0) for line_no in use.counted)
    return kept >= max(1, terms.min_spend_fen)


def is_taken_first(use: Use, terms: Terms, kept_fen: Mapping[int, int]) -> bool:
    """Whether the coupon's amount is taken back before anything else in a refund that leaves this."""
    return terms.refund is RefundPolicy.CLAW_BACK and not is_earned(use, terms, kept_fen)


def spread(refund_fen: int, left_fen: Sequence[int], first: Collection[int] = ()) -> list[int]:
    """Share a refund over tenders by what is left of each, largest remainder; those that go first get all they can.

    Args:
        refund_fen: 0 to the sum of ``left_fen``.
        first: positions of coupons that are taken first.
    """
    shares = [0] * len(left_fen)
    for position in sorted(first):
        shares[position] = min(refund_fen, left_fen[position])
        refund_fen -= shares[position]
    others = [0 if position in first else left for position, left in enumerate(left_fen)]
    return [share + more for share, more in zip(shares, share_list(refund_fen, others), strict=True)]


def refund(use: Use, terms: Terms, *, before_fen: int, now_fen: int, store_id: str) -> CouponRefund:
    """What ``now_fen`` of the coupon's tender, refunded after ``before_fen`` of it, moves.

    Args:
        store_id: the store that sold.
    """
    return CouponRefund(
        coupon_id=use.coupon_id,
        amount_fen=now_fen,
        returned=_returned(use, terms, before_fen, now_fen),
        cost=costs.split_further(before_fen, now_fen, terms.cost, store_id),
    )


def _returned(use: Use, terms: Terms, before_fen: int, now_fen: int) -> int:
    if terms.refund is RefundPolicy.FORFEIT or now_fen == 0:
        return 0
    if terms.refund is RefundPolicy.SPLIT:
        return now_fen
    if before_fen + now_fen < use.amount_fen:
        return 0
    return use.amount_fen if terms.partial_use else 1
