"""Shares of a refund. Every share is cumulative, so that the last refund takes the remainder. Source: CONTRACT, POS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.kernel.errors import invalid
from backend.kernel.money import share_list

from ..errors import RefundExceedsPaid
from ..types import SaleBody, SaleProgress, TenderType


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
        line_qty=progress.line_qty or zeros_lines,
        line_fen=progress.line_fen or zeros_lines,
        tender_fen=progress.tender_fen or zeros_tenders,
    )


def by_lines(body: SaleBody, progress: SaleProgress, wanted: Mapping[int, int]) -> RefundShares:
    """Refund pieces: line k refunded to q of n pieces gives ⌊payable × q / n⌋ less what was given before.

    Args:
        wanted: pieces to refund now, by ``line_no``.
    """
    qty, fen = [0] * len(body.lines), [0] * len(body.lines)
    for line_no, pieces in wanted.items():
        if not 1 <= line_no <= len(body.lines):
            raise invalid("/lines", f"the sale has no line {line_no}")
        line = body.lines[line_no - 1]
        reached = progress.line_qty[line_no - 1] + pieces
        if reached > line.qty:
            raise RefundExceedsPaid(
                f"line {line_no} has {line.qty - progress.line_qty[line_no - 1]} pieces left to refund"
            )
        qty[line_no - 1] = pieces
        fen[line_no - 1] = max(0, line.payable_fen * reached // line.qty - progress.line_fen[line_no - 1])
    return _shares(body, progress, qty, fen)


def by_amount(body: SaleBody, progress: SaleProgress, amount_fen: int) -> RefundShares:
    """Refund an amount: taken from the lines in proportion to what is left of each."""
    left = [line.payable_fen - given for line, given in zip(body.lines, progress.line_fen, strict=True)]
    if amount_fen > sum(left):
        raise RefundExceedsPaid(f"{sum(left)} fen are left to refund")
    return _shares(body, progress, [0] * len(body.lines), share_list(amount_fen, left))


def _shares(body: SaleBody, progress: SaleProgress, qty: Sequence[int], fen: Sequence[int]) -> RefundShares:
    refund = sum(fen)
    if refund <= 0:
        raise RefundExceedsPaid("nothing is left to refund there")
    left = [tender.amount_fen - given for tender, given in zip(body.tenders, progress.tender_fen, strict=True)]
    tender_fen = share_list(refund, left)
    points = 0
    for tender, before, now in zip(body.tenders, progress.tender_fen, tender_fen, strict=True):
        if tender.type is TenderType.POINTS:
            points = tender.points * (before + now) // tender.amount_fen - progress.points_returned
    earned = progress.points_earned or 0
    clawed = earned * (progress.refunded_fen + refund) // body.payable_fen - progress.points_clawed
    return RefundShares(refund, tuple(qty), tuple(fen), tuple(tender_fen), points, clawed)


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
