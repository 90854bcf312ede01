"""Which points can be given away, and which lots they come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.ledger.types import Lot

EARNED = "earned"
"""The part of lots that purchases gave: only these are given away, so what was given is not handed on."""

MOST_LOTS = 200
"""That one transfer moves."""


class Held(msgspec.Struct, frozen=True):
    """What a member has: points in all, those that are good today, points owed, and the lots that could be given away,
    in spending order.
    """

    points: int
    good: int
    debt: int
    lots: tuple[Lot, ...]

    def spendable(self, least_kept: int) -> int:
        """How much of it may be given away when so much (less what is owed) must be left."""
        return max(0, min(sum(lot.remaining for lot in self.lots), self.good - self.debt - least_kept))


def transferable(lots: Sequence[Lot], on: date) -> list[Lot]:
    """Of these open lots those that purchases gave and that are good on that day, in their order; 200 at most."""
    good = [lot for lot in lots if lot.part == EARNED and (lot.expires_on is None or lot.expires_on >= on)]
    return good[:MOST_LOTS]


def take(lots: Sequence[Lot], points: int) -> tuple[tuple[Lot, int], ...]:
    """How much of which lot makes so many points: the first ones whole, the last one in part."""
    taken: list[tuple[Lot, int]] = []
    for lot in lots:
        part = min(points, lot.remaining)
        if part > 0:
            taken.append((lot, part))
            points -= part
    if points:
        raise ValueError("the lots do not hold so much")
    return tuple(taken)
