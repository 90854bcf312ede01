"""Coupons that may be used, as they compete for the lines of a basket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from ..types import DELIVERY_LINE, BasketLine, Held, Occasion, Use, Verdict
from .allocate import take


class Offer(msgspec.Struct, frozen=True):
    """A coupon with its verdict. ``lines`` are positions on the board, ``scope_fen`` what these cost before coupons."""

    held: Held
    verdict: Verdict
    lines: tuple[int, ...]
    scope_fen: int

    @property
    def expires_on(self) -> date:
        """Its last day; far away where it has none."""
        return self.held.expires_on or date.max

    def order(self) -> tuple[int, tuple[int, ...], bool, int, date, str]:
        """When it takes: the narrowest scope first.

        On the same lines what is used once before what keeps a balance, then the larger, then the earlier to expire.
        """
        partial = self.held.terms.partial_use
        return self.scope_fen, self.lines, partial, -self.verdict.amount_fen, self.expires_on, self.held.id


class Board:
    """The lines of a basket with what they cost before coupons; the delivery fee is the last one."""

    def __init__(self, basket: Sequence[BasketLine], occasion: Occasion) -> None:
        self.line_nos = [*(line.line_no for line in basket), DELIVERY_LINE]
        self.payable = [*(line.payable_fen for line in basket), occasion.shipping_fen]
        self._position = {line_no: position for position, line_no in enumerate(self.line_nos)}

    def offer(self, held: Held, verdict: Verdict) -> Offer:
        """The coupon, placed on the board."""
        lines = tuple([self._position[line_no] for line_no in verdict.lines])
        return Offer(held, verdict, lines, sum([self.payable[line] for line in lines]))

    def use(self, offers: Iterable[Offer]) -> list[Use]:
        """Use these together: each takes its amount, or what those before it left on its lines."""
        left, uses = list(self.payable), []
        for offer in sorted(offers, key=Offer.order):
            parts = take(offer.verdict.amount_fen, offer.lines, left)
            by_line = [(self.line_nos[line], part) for line, part in zip(offer.lines, parts, strict=True) if part]
            uses.append(
                Use(
                    coupon_id=offer.held.id,
                    amount_fen=sum(parts),
                    by_line=tuple(by_line),
                    counted=offer.verdict.counted,
                )
            )
        return uses
