"""A till's basket as coupons meet it. What they do to it is the coupons' own rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backend.coupons.types import BasketLine, Used
from backend.kernel.errors import invalid

from ..types import Line, Price, TenderType
from .pricing import TenderIn


def named(tenders: Sequence[TenderIn]) -> list[str]:
    """The coupons that the till names, in its order.

    Refuses a coupon tender without one, one named twice, and one that another tender names: it would not be used.
    """
    found: list[str] = []
    for position, tender in enumerate(tenders):
        if tender.type is not TenderType.COUPON:
            if tender.coupon_id is not None:
                raise invalid(f"/tenders/{position}/coupon_id", f"is not for {tender.type} tenders")
            continue
        if tender.coupon_id is None:
            raise invalid(f"/tenders/{position}/coupon_id", "a coupon tender names its coupon")
        if tender.coupon_id in found:
            raise invalid(f"/tenders/{position}/coupon_id", "this coupon is named twice")
        found.append(tender.coupon_id)
    return found


def basket(lines: Sequence[Line], price: Price) -> list[BasketLine]:
    """The priced lines as coupons meet them: what they cost after both discounts."""
    return [
        BasketLine(priced.line_no, priced.sku, priced.qty, priced.payable_fen, line.category, line.brand)
        for line, priced in zip(lines, price.lines, strict=True)
    ]


def line_shares(used: Iterable[Used]) -> dict[int, int]:
    """What coupons together took off each line, by ``line_no``."""
    shares: dict[int, int] = {}
    for coupon in used:
        for line_no, fen in coupon.by_line:
            shares[line_no] = shares.get(line_no, 0) + fen
    return shares
