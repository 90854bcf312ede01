"""What was given for a sale (即买即奖), and whether a refund leaves it deserved: pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from ..records import Occurrence, Trigger

_COUPON = "coupon"


class PaidBy(msgspec.Struct, frozen=True):
    """How part of a sale was paid."""

    type: str
    amount_fen: int


class Paid(msgspec.Struct, frozen=True):
    """What a sale's document says of its payment."""

    tenders: tuple[PaidBy, ...]


class GivenBack(msgspec.Struct, frozen=True):
    """What a sale's progress says of its refunds: by the positions of tenders; empty where there was none."""

    tender_fen: tuple[int, ...] = ()


def kept_fen(sale: Paid, back: GivenBack) -> int:
    """What was paid by anything but coupons, less what of it was given back."""
    return sum(
        tender.amount_fen - given
        for tender, given in zip_longest(sale.tenders, back.tender_fen, fillvalue=0)
        if isinstance(tender, PaidBy) and tender.type != _COUPON
    )


def still_deserved(kept: int, triggers: Sequence[Trigger]) -> bool:
    """Whether a sale of which ``kept`` fen remain is still due what these triggers give for sales.

    One of nothing deserves nothing. Where staff have taken the trigger away since, the rest of a sale is enough.
    """
    least = [trigger.min_fen for trigger in triggers if trigger.on is Occurrence.SALE]
    return kept > 0 and kept >= min(least, default=1)
