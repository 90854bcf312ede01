"""The one read of purchases: what a refund is planned with."""

from __future__ import annotations

from backend.coupons import queries as coupon_queries
from backend.kernel import clock
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.passes import queries as pass_queries
from backend.passes import service as passes

from . import plans
from .plans import Sold
from .rules import refunds

HELD_BY = {"order": "order_held"}
"""By the kind of a document: the transfer that took its value first, where it was held before it was paid."""


async def read_sold(document: Document) -> Sold:
    """A purchase as its refund is planned with it: what its transfer moved, and what is open of that now."""
    member_id = document.member_id
    transfer, moves = await ledger.find_moves(member_id, document.id, document.kind)
    if document.kind in HELD_BY:
        held, taken = await ledger.find_moves(member_id, document.id, HELD_BY[document.kind])
        transfer, moves = held or transfer, [*taken, *moves]
    lots = await ledger.list_open_lots(member_id, "points", "points_pending", limit=2000)
    body = plans.sale_body(document)
    versions = await coupon_queries.list_versions((coupon.template, coupon.version) for coupon in body.coupons)
    sold = [one.id for one in body.passes]
    return Sold(
        document,
        body,
        refunds.start(body, plans.sale_progress(document)),
        transfer,
        tuple(moves),
        tuple(lot for lot in lots if lot.kind == "points_pending"),
        tuple(lot for lot in lots if lot.kind == "points"),
        {coupon.id: versions[coupon.template, coupon.version].terms for coupon in body.coupons},
        await pass_queries.find_passes(member_id, sold, passes.today(clock.now())) if sold else {},
    )
