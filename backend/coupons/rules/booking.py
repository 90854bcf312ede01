"""How coupons are booked that a sale uses, or gets back: what its document keeps of them, and the legs of its plan."""

from __future__ import annotations

from backend.ledger import plans as ledger
from backend.ledger.plans import COUPON, FEN, HOUSE_COUPON_COST, HOUSE_SALES, USES, Leg

from ..types import CouponRefund, Held, Use, Used
from . import costs


def record(use: Use, held: Held, store_id: str) -> Used:
    """What the document of a sale in that store keeps of a coupon."""
    partial = held.terms.partial_use
    return Used(
        id=held.id,
        template=held.template,
        version=held.version,
        unit=FEN if partial else USES,
        taken=use.amount_fen if partial else 1,
        amount_fen=use.amount_fen,
        by_line=use.by_line,
        counted=use.counted,
        cost=costs.split(use.amount_fen, held.terms.cost, store_id),
    )


def use_of(used: Used) -> Use:
    """What the coupon took off, as it was when it was judged."""
    return Use(coupon_id=used.id, amount_fen=used.amount_fen, by_line=used.by_line, counted=used.counted)


def use_legs(used: Used, store_id: str, *, account: str = COUPON) -> tuple[Leg, ...]:
    """The legs of a coupon that pays: off its account, and in money from those who bear it to the store's sales.

    One that an order held pays with ``account=COUPON_HELD``.
    """
    return (
        *ledger.use_coupon(used.id, used.template, used.unit, used.taken, account=account),
        *(Leg(HOUSE_COUPON_COST, FEN, -fen, ref=party) for party, fen in used.cost.items() if fen),
        Leg(HOUSE_SALES, FEN, used.amount_fen, ref=store_id),
    )


def refund_legs(used: Used, refund: CouponRefund, store_id: str, *, lot_id: int) -> tuple[Leg, ...]:
    """The legs of a coupon's share of a refund: what returns to its lot, and those who bore it bear less."""
    legs: list[Leg] = []
    if refund.returned:
        legs += ledger.return_coupon(used.id, used.template, used.unit, refund.returned, lot_id=lot_id)
    legs += [Leg(HOUSE_COUPON_COST, FEN, fen, ref=party) for party, fen in refund.cost.items() if fen]
    if refund.amount_fen:
        legs.append(Leg(HOUSE_SALES, FEN, -refund.amount_fen, ref=store_id))
    return tuple(legs)
