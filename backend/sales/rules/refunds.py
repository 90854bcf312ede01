"""Shares of a refund. Every share is cumulative, so that the last refund takes the remainder. Source: CONTRACT, POS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.coupons.rules import refunds as coupons
from backend.coupons.rules.booking import use_of
from backend.coupons.types import CouponRefund, Terms
from backend.kernel.errors import invalid
from backend.kernel.money import share_list

from ..errors import RefundExceedsPaid
from ..types import SaleBody, SaleProgress, TenderType

TermsOf = Mapping[str, Terms]
"""The terms of a sale's coupons, by coupon."""


class RefundShares(msgspec.Struct, frozen=True):
    """What one refund gives back; tuples by line and tender position of the sale."""

    refund_fen: int
    line_qty: tuple[int, ...]
    line_fen: tuple[int, ...]
    tender_fen: tuple[int, ...]
    points_returned: int
    points_clawed: int


def start(body: SaleBody, progress: SaleProgress) -> SaleProgress:
    """The progress with a place for every line and tender."""
    zeros_lines, zeros_tenders = (0,) * len(body.lines), (0,) * len(body.tenders)
    return msgspec.structs.replace(
        progress,
        points_earned=body.points_earned if progress.points_earned is None else progress.points_earned,
        earned_by=body.earned_by if progress.earned_by is None else progress.earned_by,
        line_qty=progress.line_qty or zeros_lines,
        line_fen=progress.line_fen or zeros_lines,
        tender_fen=progress.tender_fen or zeros_tenders,
    )


def by_lines(
    body: SaleBody, progress: SaleProgress, wanted: Mapping[int, int], terms: TermsOf | None = None
) -> RefundShares:
    """Refund pieces: line k refunded to q of n pieces gives ⌊payable × q / n⌋ less what was given before.

    Args:
        wanted: pieces to refund now, by ``line_no``.
    """
    qty, fen = [0] * len(body.lines), [0] * len(body.lines)
    places = {line.line_no: place for place, line in enumerate(body.lines)}
    for line_no, pieces in wanted.items():
        place = places.get(line_no)
        if place is None:
            raise invalid("/lines", f"the sale has no line {line_no}")
        line = body.lines[place]
        reached = progress.line_qty[place] + pieces
        if reached > line.qty:
            raise RefundExceedsPaid(f"line {line_no} has {line.qty - progress.line_qty[place]} pieces left to refund")
        qty[place] = pieces
        fen[place] = max(0, line.payable_fen * reached // line.qty - progress.line_fen[place])
    return _shares(body, progress, qty, fen, terms or {})


def by_amount(body: SaleBody, progress: SaleProgress, amount_fen: int, terms: TermsOf | None = None) -> RefundShares:
    """Refund an amount: taken from the lines in proportion to what is left of each."""
    left = [line.payable_fen - given for line, given in zip(body.lines, progress.line_fen, strict=True)]
    if amount_fen > sum(left):
        raise RefundExceedsPaid(f"{sum(left)} fen are left to refund")
    return _shares(body, progress, [0] * len(body.lines), share_list(amount_fen, left), terms or {})


def by_agreement(
    body: SaleBody,
    progress: SaleProgress,
    wanted: Mapping[int, int],
    agreed_fen: int | None = None,
    terms: TermsOf | None = None,
) -> RefundShares:
    """Refund pieces at what they cost, or for the smaller amount agreed on for them.

    A line's pieces q + 1 to q + p of n cost ⌊payable × (q + p) / n⌋ − ⌊payable × q / n⌋, whatever was agreed on for
    the first q: what somebody kept of them raises nothing later.

    Args:
        wanted: pieces to refund now, by ``line_no``.
        agreed_fen: 1 up to what they cost; shared over their lines in proportion to that.
    """
    qty, cost = [0] * len(body.lines), [0] * len(body.lines)
    places = {line.line_no: place for place, line in enumerate(body.lines)}
    for line_no, pieces in wanted.items():
        if line_no not in places:
            raise invalid("/lines", f"the sale has no line {line_no}")
        place = places[line_no]
        line, before = body.lines[place], progress.line_qty[place]
        if before + pieces > line.qty:
            raise RefundExceedsPaid(f"line {line_no} has {line.qty - before} pieces left to refund")
        qty[place] = pieces
        share = line.payable_fen * (before + pieces) // line.qty - line.payable_fen * before // line.qty
        cost[place] = min(share, line.payable_fen - progress.line_fen[place])
    if agreed_fen is not None and agreed_fen > sum(cost):
        raise RefundExceedsPaid(f"these pieces cost {sum(cost)} fen")
    fen = cost if agreed_fen is None else share_list(agreed_fen, cost)
    return _shares(body, progress, qty, fen, terms or {})


def coupon_refunds(
    body: SaleBody, progress: SaleProgress, shares: RefundShares, terms: TermsOf, store_id: str
) -> list[CouponRefund]:
    """What the coupons' shares of a refund do to them and to those who bear them.

    Coupons that the sale used: of sales made before it was refused, another tender may name one, too.
    """
    used = {coupon.id: coupon for coupon in body.coupons}
    return [
        coupons.refund(
            use_of(used[tender.coupon_id]),
            terms[tender.coupon_id],
            before_fen=before,
            now_fen=now,
            store_id=store_id,
        )
        for tender, before, now in zip(body.tenders, progress.tender_fen, shares.tender_fen, strict=True)
        if now and tender.type is TenderType.COUPON and tender.coupon_id is not None
    ]


def _shares(
    body: SaleBody, progress: SaleProgress, qty: Sequence[int], fen: Sequence[int], terms: TermsOf
) -> RefundShares:
    refund = sum(fen)
    if refund <= 0:
        raise RefundExceedsPaid("nothing is left to refund there")
    left = [tender.amount_fen - given for tender, given in zip(body.tenders, progress.tender_fen, strict=True)]
    tender_fen = coupons.spread(refund, left, _clawed_first(body, progress, fen, terms))
    points = 0
    for tender, before, now in zip(body.tenders, progress.tender_fen, tender_fen, strict=True):
        if tender.type is TenderType.POINTS:
            points = tender.points * (before + now) // tender.amount_fen - progress.points_returned
    clawed = _clawed(body, progress, fen) - progress.points_clawed
    return RefundShares(refund, tuple(qty), tuple(fen), tuple(tender_fen), points, clawed)


def _clawed(body: SaleBody, progress: SaleProgress, fen: Sequence[int]) -> int:
    """How many of the earned points are gone with so much refunded in all, line by line where rules gave to lines.

    Where the standard rule alone gave, it is the sale's part, as CONTRACT says.
    """
    if not progress.earned_by:
        return (progress.points_earned or 0) * (progress.refunded_fen + sum(fen)) // body.payable_fen
    return sum(
        earned.points * (before + now) // line.payable_fen
        for earned, line, before, now in zip(progress.earned_by, body.lines, progress.line_fen, fen, strict=True)
        if line.payable_fen
    )


def _clawed_first(body: SaleBody, progress: SaleProgress, fen: Sequence[int], terms: TermsOf) -> list[int]:
    """The positions of the coupon tenders that what is kept after this refund would not have earned."""
    kept = {
        line.line_no: line.payable_fen - before - now
        for line, before, now in zip(body.lines, progress.line_fen, fen, strict=True)
    }
    used = {coupon.id: coupon for coupon in body.coupons}
    return [
        position
        for position, tender in enumerate(body.tenders)
        if tender.type is TenderType.COUPON
        and tender.coupon_id is not None
        and tender.coupon_id in terms
        and coupons.is_taken_first(use_of(used[tender.coupon_id]), terms[tender.coupon_id], kept)
    ]


def advance(progress: SaleProgress, shares: RefundShares, lots: Mapping[int, int]) -> SaleProgress:
    """The progress after this refund; ``lots`` are the amounts returned to lots by it."""
    returned = dict(progress.lots)
    for lot_id, amount in lots.items():
        returned[str(lot_id)] = returned.get(str(lot_id), 0) + amount
    return msgspec.structs.replace(
        progress,
        line_qty=tuple(a + b for a, b in zip(progress.line_qty, shares.line_qty, strict=True)),
        line_fen=tuple(a + b for a, b in zip(progress.line_fen, shares.line_fen, strict=True)),
        tender_fen=tuple(a + b for a, b in zip(progress.tender_fen, shares.tender_fen, strict=True)),
        refunded_fen=progress.refunded_fen + shares.refund_fen,
        points_returned=progress.points_returned + shares.points_returned,
        points_clawed=progress.points_clawed + shares.points_clawed,
        lots=returned,
    )


def return_to_lots(amount: int, taken: Sequence[tuple[int, int]], returned: Mapping[str, int]) -> dict[int, int]:
    """Which lots get ``amount`` back: the last spent first, none more than it gave.

    Args:
        taken: ``(lot id, amount the sale took)`` in spending order.
        returned: what earlier refunds gave back, by lot id as text.
    """
    back: dict[int, int] = {}
    for lot_id, took in reversed(taken):
        part = min(amount, took - returned.get(str(lot_id), 0))
        if part > 0:
            back[lot_id] = part
            amount -= part
    if amount:
        raise RefundExceedsPaid("the lots did not give that much")
    return back


class Clawback(msgspec.Struct, frozen=True):
    """Where points come back from: lots of the pending and the available account, and the debt left over."""

    pending: dict[int, int]
    available: dict[int, int]
    debt: int


def claw_back(points: int, pending: Sequence[tuple[int, int]], available: Sequence[tuple[int, int]]) -> Clawback:
    """Take earned points back: pending lots first, then available ones, and what is missing is owed.

    Args:
        pending, available: ``(lot id, remaining)`` in the order to take from them.
    """
    taken: list[dict[int, int]] = [{}, {}]
    for lots, target in zip((pending, available), taken, strict=True):
        for lot_id, remaining in lots:
            part = min(points, remaining)
            if part > 0:
                target[lot_id] = part
                points -= part
    return Clawback(taken[0], taken[1], points)
