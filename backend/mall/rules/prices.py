"""What an article costs somebody at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..types import Price, PriceKind, TimedPrice

BP = 10_000


def price_at(
    list_fen: int, level_fen: int | None, timed: Iterable[TimedPrice], now: datetime, *, discount_bp: int = 0
) -> Price:
    """The lowest of what applies: the list price, the level's, and a timed price while it lasts.

    The level's is its own one, else the list price less ``discount_bp``, rounded as a line of one piece is. Of equal
    ones the plainer is named: list before level before timed. Of timed ones that cost the same, the one that lasts
    longest.
    """
    price = Price(list_fen, PriceKind.LIST)
    own = list_fen - list_fen * discount_bp // BP if level_fen is None else level_fen
    if own < price.fen:
        price = Price(own, PriceKind.LEVEL)
    running = [item for item in timed if item.starts_at <= now < item.ends_at and item.price_fen < price.fen]
    if running:
        lowest = min(item.price_fen for item in running)
        until = max(item.ends_at for item in running if item.price_fen == lowest)
        price = Price(lowest, PriceKind.TIMED, until)
    return price
