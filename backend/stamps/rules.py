"""Stamps in numbers: what a sale deserves, what a card may still get, what a refund takes."""

from __future__ import annotations

from datetime import date, timedelta

from .types import Earning, Per, SoldBody, SoldLine, SoldProgress, Stamps

COUPON = "coupon"


def deserved(sale: SoldBody, progress: SoldProgress, earning: Earning) -> int:
    """The stamps that a sale deserves with what was refunded by now; refunds never raise it.

    What coupons paid does not count, or the free cup would begin the next card. Per sale: what was paid otherwise, and
    kept, reaches ``min_fen``. Per piece: pieces that were paid for and kept; one whose price was only reduced is kept.
    """
    if earning.per is Per.SALE:
        paid_fen = kept_fen(sale, progress)
        return int(paid_fen > 0 and paid_fen >= earning.min_fen)
    off = coupon_shares(sale)
    pieces = sum(
        _kept_pieces(line, _at(progress.line_qty, place), _at(progress.line_fen, place), off.get(line.line_no, 0))
        for place, line in enumerate(sale.lines)
        if _counts(line, earning)
    )
    return pieces if earning.most_a_sale is None else min(pieces, earning.most_a_sale)


def kept_fen(sale: SoldBody, progress: SoldProgress) -> int:
    """What was paid by anything but coupons, less what of it was given back."""
    return sum(
        tender.amount_fen - _at(progress.tender_fen, place)
        for place, tender in enumerate(sale.tenders)
        if tender.type != COUPON
    )


def coupon_shares(sale: SoldBody) -> dict[int, int]:
    """What coupons took off each line, by line number."""
    off: dict[int, int] = {}
    for coupon in sale.coupons:
        for line_no, fen in coupon.by_line:
            off[line_no] = off.get(line_no, 0) + fen
    return off


def _counts(line: SoldLine, earning: Earning) -> bool:
    if not earning.skus and not earning.categories:
        return True
    return line.sku in earning.skus or (line.category is not None and line.category in earning.categories)


def _kept_pieces(line: SoldLine, refunded_qty: int, refunded_fen: int, off_fen: int) -> int:
    """Pieces that came back are gone; of the money any part that is kept keeps its piece."""
    if line.payable_fen <= 0:
        return 0
    paid = -(-line.qty * (line.payable_fen - off_fen) // line.payable_fen)
    kept = -(-line.qty * (line.payable_fen - refunded_fen) // line.payable_fen)
    return max(0, min(paid, kept, line.qty - refunded_qty))


def _at(amounts: tuple[int, ...], place: int) -> int:
    return amounts[place] if place < len(amounts) else 0


def room(stamps: Stamps, goal: int, per_member: int | None) -> int | None:
    """How many stamps the card may still be given, what is owed included; None is any number."""
    if per_member is None:
        return None
    return max(0, (per_member - stamps.rewards) * goal - stamps.held + stamps.owed)


def is_full(stamps: Stamps, goal: int, per_member: int | None) -> bool:
    """Whether a reward is to be had."""
    return stamps.held >= goal and (per_member is None or stamps.rewards < per_member)


def after_giving(stamps: Stamps, amount: int) -> Stamps:
    """With so many stamps more: what is owed is paid first."""
    paid = min(stamps.owed, amount)
    return Stamps(stamps.held + amount - paid, stamps.owed - paid, stamps.rewards)


def after_taking(stamps: Stamps, amount: int) -> Stamps:
    """With so many taken back: what is not there any more is owed."""
    taken = min(stamps.held, amount)
    return Stamps(stamps.held - taken, stamps.owed + amount - taken, stamps.rewards)


def lost_by(stamps: Stamps, goal: int, *, in_a_row: bool, last_on: date | None, on: date) -> int:
    """How many stamps a missed day loses on that day: all that do not make a full card."""
    if not in_a_row or last_on is None or last_on >= on - timedelta(days=1):
        return 0
    return stamps.held % goal
