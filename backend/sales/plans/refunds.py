"""The refund of a purchase as one plan: shares back to the tenders, lots and coupons that paid, earned points taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.coupons.events import CouponReturned
from backend.coupons.types import CouponRefund
from backend.kernel import clock
from backend.kernel.events import encode as encode_event
from backend.ledger import events
from backend.ledger.plans import COUPON, DocumentUpdate, NewDocument, Plan
from backend.ledger.types import Document, Lot
from backend.passes import plans as pass_plans
from backend.passes.types import Held

from ..rules import refunds
from ..rules.refunds import Clawback, RefundShares, TermsOf
from ..types import Refund, RefundTender, ReturnedCoupon, SaleBody, SaleProgress, Tender, TenderType
from .legs import encode_progress, refund_legs

REFUND = "refund"
PREFIX = "F"
"""Of a refund's id."""


class Sold(msgspec.Struct, frozen=True):
    """A purchase, the lots its transfer moved, and the lots of points that are open now, in spending order.

    ``terms`` are those of its coupons, ``passes`` what it sold of them as they stand now.
    """

    document: Document
    body: SaleBody
    progress: SaleProgress
    transfer: int | None
    moves: tuple[tuple[Lot, int], ...]
    pending: tuple[Lot, ...]
    available: tuple[Lot, ...]
    terms: TermsOf = {}
    passes: dict[str, Held] = {}

    def living(self, on: date) -> list[int]:
        """The lots that are good on that day, in spending order."""
        return [lot.lot_id for lot, _ in self.moves if lot.expires_on is None or lot.expires_on >= on]

    def taken(self, kind: str) -> list[tuple[int, int]]:
        """What was taken of the lots of an account, in spending order."""
        return [(lot.lot_id, -amount) for lot, amount in self.moves if lot.kind == kind and amount < 0]

    def coupon_lot(self, coupon_id: str) -> Lot:
        """The lot that is a coupon of the purchase."""
        return next(lot for lot, _ in self.moves if lot.kind == COUPON and lot.ref == coupon_id)


class Back(msgspec.Struct, frozen=True):
    """Where a refund's value goes: by lot, by coupon with its lot, and out of which lots earned points come."""

    stored: dict[int, int]
    rebate: dict[int, int]
    points: dict[int, int]
    claw: Clawback
    coupons: list[tuple[CouponRefund, int]]

    @property
    def lots(self) -> dict[int, int]:
        """What goes back to each lot."""
        returned = {lot_id: coupon.returned for coupon, lot_id in self.coupons if coupon.returned}
        return self.stored | self.rebate | self.points | returned


def refund(
    sold: Sold,
    shares: RefundShares,
    ended: Sequence[Held],
    *,
    refund_id: str,
    states: tuple[str, str],
    reason: str | None,
    now: datetime,
    zone: str,
) -> tuple[Plan, Refund]:
    """The refund as one plan, and what it is; without a key yet. What goes back to gift cards is posted with it.

    Args:
        ended: the passes that go back with their lines.
        states: the purchase's after this refund, where something is left of it and where nothing is.
    """
    document, on = sold.document, clock.local_date(now, zone)
    back = _back(sold, shares, on)
    progress = refunds.advance(sold.progress, shares, back.lots)
    made = _refund(sold, shares, ended, back, refund_id, now, on)
    plan = Plan(
        member_id=document.member_id,
        kind=REFUND,
        at=now,
        on=on,
        scope="",
        key="",
        hash="",
        reverses=sold.transfer,
        update=DocumentUpdate(
            document.id,
            document.version,
            state=states[progress.refunded_fen == sold.body.payable_fen],
            progress=encode_progress(progress),
        ),
        document=NewDocument(
            refund_id,
            REFUND,
            "posted",
            msgspec.to_builtins(made)
            | {"coupons": [_kept(sold, coupon) for coupon, _ in back.coupons], "lines": _lines(sold, shares)},
            store_id=document.store_id,
            memo={"reason": reason},
        ),
        legs=_legs(sold, made, back, ended),
        guards=tuple(pass_plans.close_unused(held.id) for held in ended),
        events=_events(sold, made, back, ended),
    )
    return plan, made


def _back(sold: Sold, shares: RefundShares, on: date) -> Back:
    by_type = {
        tender.type: fen
        for tender, fen in zip(sold.body.tenders, shares.tender_fen, strict=True)
        if tender.type in _LOTS
    }
    returned = sold.progress.lots
    points = refunds.return_to_lots(shares.points_returned, sold.taken("points"), returned)
    still_good = {lot_id: points[lot_id] for lot_id in sold.living(on) if lot_id in points}
    coupons = refunds.coupon_refunds(sold.body, sold.progress, shares, sold.terms, sold.document.store_id or "")
    return Back(
        stored=refunds.return_to_lots(by_type.get(TenderType.STORED, 0), sold.taken("stored"), returned),
        rebate=refunds.return_to_lots(by_type.get(TenderType.REBATE, 0), sold.taken("rebate"), returned),
        points=points,
        claw=refunds.claw_back(shares.points_clawed, *_claw_lots(sold, still_good, on)),
        coupons=[(coupon, sold.coupon_lot(coupon.coupon_id).lot_id) for coupon in coupons],
    )


def _refund(
    sold: Sold, shares: RefundShares, ended: Sequence[Held], back: Back, refund_id: str, now: datetime, on: date
) -> Refund:
    return Refund(
        id=refund_id,
        refund_fen=shares.refund_fen,
        by_tender=[
            RefundTender(str(tender.type), fen, tender.coupon_id, _card_id(tender))
            for tender, fen in zip(sold.body.tenders, shares.tender_fen, strict=True)
            if fen
        ],
        points_clawed_back=shares.points_clawed,
        points_returned=shares.points_returned,
        coupons_returned=[_returned(sold, coupon, on) for coupon, _ in back.coupons if coupon.returned],
        sale_id=sold.document.id,
        at=now,
        passes_ended=[held.id for held in ended],
    )


def _legs(sold: Sold, made: Refund, back: Back, ended: Sequence[Held]) -> tuple[Any, ...]:
    store_id = sold.document.store_id or ""
    legs = refund_legs(
        sold.body,
        store_id,
        stored_back=back.stored,
        rebate_back=back.rebate,
        points_back=back.points,
        pending_taken=back.claw.pending,
        available_taken=back.claw.available,
        debt=back.claw.debt,
        coupons_back=back.coupons,
        cards_back_fen=sum(tender.amount_fen for tender in made.by_tender if tender.reference is not None),
    )
    return legs + tuple(leg for held in ended for leg in pass_plans.take_back_legs(held, store_id))


def _events(sold: Sold, made: Refund, back: Back, ended: Sequence[Held]) -> tuple[dict[str, Any], ...]:
    member_id = sold.document.member_id
    return (
        encode_event(
            events.SaleRefunded(
                member_id=member_id,
                sale_id=sold.document.id,
                refund_id=made.id,
                refund_fen=made.refund_fen,
                coupon_fen=sum(coupon.amount_fen for coupon, _ in back.coupons),
            )
        ),
        *(
            encode_event(CouponReturned(member_id=member_id, coupon_id=coupon.coupon_id))
            for coupon, _ in back.coupons
            if coupon.returned
        ),
        *(pass_plans.taken_back_event(held, made.at) for held in ended),
    )


def _card_id(tender: Tender) -> str | None:
    """The gift card that a tender was, for the till to name it."""
    return tender.reference if tender.type is TenderType.GIFT_CARD else None


def _kept(sold: Sold, coupon: CouponRefund) -> dict[str, Any]:
    """What the refund's document keeps of a coupon, for statements: as ``Used`` in a sale's, with what it undoes."""
    used = next(item for item in sold.body.coupons if item.id == coupon.coupon_id)
    return {"id": used.id, "template": used.template, "unit": used.unit} | {
        "returned": coupon.returned,
        "amount_fen": coupon.amount_fen,
        "cost": coupon.cost,
    }


def _lines(sold: Sold, shares: RefundShares) -> list[dict[str, int]]:
    """What the refund's document keeps of the lines it gives something back of, for reports."""
    return [
        {"line_no": line.line_no, "qty": qty, "fen": fen}
        for line, qty, fen in zip(sold.body.lines, shares.line_qty, shares.line_fen, strict=True)
        if qty or fen
    ]


def _returned(sold: Sold, coupon: CouponRefund, on: date) -> ReturnedCoupon:
    last_day = sold.coupon_lot(coupon.coupon_id).expires_on
    over = last_day is not None and last_day < on
    amount_fen = coupon.returned if sold.terms[coupon.coupon_id].partial_use else None
    return ReturnedCoupon(coupon.coupon_id, "expired" if over else "available", amount_fen)


_LOTS = frozenset({TenderType.STORED, TenderType.REBATE, TenderType.POINTS})


def _claw_lots(sold: Sold, returning: dict[int, int], on: date) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Lots to take earned points back from: the sale's own first, with what this refund returns counted in.

    Lots that expired before ``on`` are lost already and pay nothing.
    """
    own_first = [
        sorted(
            (lot for lot in lots if lot.expires_on is None or lot.expires_on >= on),
            key=lambda lot: lot.source != sold.document.id,
        )
        for lots in (sold.pending, sold.available)
    ]
    open_points = {lot.lot_id: lot.remaining + returning.get(lot.lot_id, 0) for lot in own_first[1]}
    reopened = {lot_id: amount for lot_id, amount in returning.items() if lot_id not in open_points}
    return (
        [(lot.lot_id, lot.remaining) for lot in own_first[0]],
        [*open_points.items(), *reopened.items()],
    )
