"""Facts of stock."""

from __future__ import annotations

from backend.kernel.events import Event


class StockRanLow(Event, frozen=True, kw_only=True):
    """An article fell to the threshold of its place, or below; told once until there is more again.

    It is about no member: ``member_id`` is 0.
    """

    member_id: int = 0
    place_id: str
    sku: str
    on_hand: int
    low_qty: int
