"""Which passes a basket sells, and for how much each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..errors import PassTooMany
from ..types import Offered, SoldPass
from .shares import piece_shares

MOST_IN_A_SALE = 20
"""Passes that one sale may sell."""


def sold_passes(
    lines: Iterable[tuple[int, str, int, int]], offered: Mapping[str, Offered], new_id: Callable[[], str]
) -> tuple[SoldPass, ...]:
    """A pass for each piece of a line whose SKU is a product; raises ``PassTooMany``.

    Args:
        lines: ``(line_no, sku, qty, fen)``; ``fen`` is what the line costs less its shares of coupons.
    """
    wanted = [(line, offered[line[1]]) for line in lines if line[1] in offered]
    if sum(qty for (_, _, qty, _), _ in wanted) > MOST_IN_A_SALE:
        raise PassTooMany(f"at most {MOST_IN_A_SALE} passes in one sale", extra={"most": MOST_IN_A_SALE})
    return tuple(
        SoldPass(
            id=new_id(),
            product_id=offer.product_id,
            version=offer.version,
            line_no=line_no,
            piece=piece,
            paid_fen=paid,
            kind=offer.terms.kind,
            uses=offer.terms.uses,
            days=offer.terms.days,
        )
        for (line_no, _, qty, fen), offer in wanted
        for piece, paid in enumerate(piece_shares(fen, qty), 1)
    )
