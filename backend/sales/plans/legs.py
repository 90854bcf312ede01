"""The document of a purchase, the legs of its payment and of its refunds, and what it tells the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.coupons.errors import CouponUnavailable
from backend.coupons.events import CouponEnded
from backend.coupons.rules import booking
from backend.coupons.types import CouponRefund, CouponState
from backend.kernel.events import encode as encode_event
from backend.ledger import events
from backend.ledger import plans as ledger
from backend.ledger.errors import InsufficientBalance
from backend.ledger.types import Document
from backend.passes import plans as pass_plans
from backend.passes import service as passes

from ..types import SaleBody, SaleProgress, TenderType


def encode_body(body: msgspec.Struct) -> msgspec.Raw:
    """A document body as it goes into the plan."""
    return msgspec.Raw(msgspec.json.encode(body))


def encode_progress(progress: SaleProgress) -> dict[str, Any]:
    """A document's progress as it goes into the plan."""
    built: dict[str, Any] = msgspec.to_builtins(progress)
    return built


def payment_legs(
    body: SaleBody,
    store_id: str,
    *,
    bonus_fen: int,
    debt: int,
    expires_on: date | None,
    matures_on: date | None,
    earned: int,
) -> tuple[ledger.Leg, ...]:
    """The legs of a paid sale: what each tender takes, and what is earned."""
    legs: list[ledger.Leg] = []
    for tender in body.tenders:
        if tender.type is TenderType.STORED:
            legs.append(ledger.Leg(ledger.STORED, ledger.FEN, -tender.amount_fen, bonus=bonus_fen))
            legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.REBATE:
            legs.append(ledger.Leg(ledger.REBATE, ledger.FEN, -tender.amount_fen))
            legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.GIFT_CARD:
            # The card's own books give it: that is a plan of its own, in the same transaction.
            legs.append(ledger.Leg(ledger.HOUSE_GIFT_CLEARING, ledger.FEN, -tender.amount_fen, ref=store_id))
            legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.POINTS:
            legs.append(ledger.Leg(ledger.POINTS, ledger.POINT, -tender.points))
            legs.append(ledger.Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, tender.points))
    for coupon in body.coupons:
        legs.extend(booking.use_legs(coupon, store_id))
    return tuple(legs) + earned_legs(earned, debt, expires_on=expires_on, matures_on=matures_on)


def earned_legs(earned: int, debt: int, *, expires_on: date | None, matures_on: date | None) -> tuple[ledger.Leg, ...]:
    """The legs of what a purchase earns: available at once, or pending until it matures."""
    account = ledger.POINTS_PENDING if matures_on else ledger.POINTS
    issue = ledger.Issue("earned", 0, expires_on=expires_on, matures_on=matures_on)
    return ledger.earn_points(earned, debt, issue, account=account)


def refund_legs(
    body: SaleBody,
    store_id: str,
    *,
    stored_back: Mapping[int, int],
    rebate_back: Mapping[int, int],
    points_back: Mapping[int, int],
    pending_taken: Mapping[int, int],
    available_taken: Mapping[int, int],
    debt: int,
    coupons_back: Sequence[tuple[CouponRefund, int]] = (),
    cards_back_fen: int = 0,
) -> tuple[ledger.Leg, ...]:
    """The legs of a refund: value back to the lots it came from, earned points back out of theirs, the rest owed.

    ``coupons_back`` are what happens to the sale's coupons, each with the lot that it took from; ``cards_back_fen`` is
    what goes to gift cards' own books. Points
    returned and points taken back may meet in one lot; each lot moves once, by the difference.
    """
    legs = _fen_back(store_id, stored_back, rebate_back, cards_back_fen)
    used = {coupon.id: coupon for coupon in body.coupons}
    for coupon, lot_id in coupons_back:
        legs.extend(booking.refund_legs(used[coupon.coupon_id], coupon, store_id, lot_id=lot_id))
    net = dict(points_back)
    for lot_id, taken in available_taken.items():
        net[lot_id] = net.get(lot_id, 0) - taken
    for sign in (1, -1):
        lots = tuple((lot_id, amount) for lot_id, amount in sorted(net.items()) if amount * sign > 0)
        if lots:
            legs.append(ledger.Leg(ledger.POINTS, ledger.POINT, sum(amount for _, amount in lots), lots=lots))
    if pending_taken:
        lots = tuple((lot_id, -amount) for lot_id, amount in sorted(pending_taken.items()))
        legs.append(ledger.Leg(ledger.POINTS_PENDING, ledger.POINT, sum(amount for _, amount in lots), lots=lots))
    returned, clawed = sum(points_back.values()), sum(available_taken.values()) + sum(pending_taken.values())
    if returned:
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, -returned))
    if clawed:
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_CLAWED, ledger.POINT, clawed))
    if debt:
        legs.append(ledger.Leg(ledger.POINTS_DEBT, ledger.POINT, debt))
        legs.append(ledger.Leg(ledger.HOUSE_POINTS_RECEIVABLE, ledger.POINT, -debt))
    return tuple(legs)


def _fen_back(
    store_id: str, stored_back: Mapping[int, int], rebate_back: Mapping[int, int], cards_back_fen: int
) -> list[ledger.Leg]:
    """The legs that give fen back out of the store's sales."""
    legs = []
    for account, back in ((ledger.STORED, stored_back), (ledger.REBATE, rebate_back)):
        if back:
            legs.append(ledger.Leg(account, ledger.FEN, sum(back.values()), lots=tuple(sorted(back.items()))))
    if cards_back_fen:
        legs.append(ledger.Leg(ledger.HOUSE_GIFT_CLEARING, ledger.FEN, cards_back_fen, ref=store_id))
    if legs:
        total = sum(leg.amount for leg in legs)
        legs.append(ledger.Leg(ledger.HOUSE_SALES, ledger.FEN, -total, ref=store_id))
    return legs


def sale_body(document: Document) -> SaleBody:
    """The value part of a sale's document."""
    return msgspec.convert(document.body, SaleBody)


def sale_progress(document: Document) -> SaleProgress:
    """What became of a sale's document so far."""
    return msgspec.convert(document.progress, SaleProgress)


def saw_debt(debt: int) -> tuple[ledger.Saw, ...]:
    """The plan was priced with this debt of points."""
    return (ledger.Saw("points_debt", debt),)


def completed_events(
    member_id: int, sale_id: str, store_id: str, sale: SaleBody, at: datetime
) -> tuple[dict[str, object], ...]:
    """The facts for the outbox: the sale, and every coupon that it used (one with a balance may live on)."""
    return (
        encode_event(
            events.SaleCompleted(
                member_id=member_id,
                sale_id=sale_id,
                store_id=store_id,
                payable_fen=sale.payable_fen,
                coupon_fen=sum(coupon.amount_fen for coupon in sale.coupons),
            )
        ),
        *(
            encode_event(
                CouponEnded(member_id=member_id, coupon_id=coupon.id, state=CouponState.USED, at=at, by=sale_id)
            )
            for coupon in sale.coupons
        ),
        *pass_plans.sale_events(member_id, sale_id, sale.passes, store_id=store_id, at=at, on=passes.today(at)),
    )


def raise_if_coupon_gone(refused: Exception) -> None:
    """Raise ``CouponUnavailable`` where the door found a coupon used or ended that was good when it was judged."""
    if gone := coupon_gone(refused):
        raise gone from refused


def coupon_gone(refused: Exception) -> CouponUnavailable | None:
    """What is said where the door found less of a coupon than there was when it was judged; None for anything else."""
    if isinstance(refused, InsufficientBalance) and refused.account == ledger.COUPON:
        return CouponUnavailable(extra={"coupon_id": refused.ref})
    return None
