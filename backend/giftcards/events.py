"""What happens to gift cards, for the layers above."""

from __future__ import annotations

from backend.kernel.events import Event


class GiftCardSold(Event, frozen=True, kw_only=True):
    """A till sold a card: loaded it, or took that back (``undone``). Its holder in the books is the card itself."""

    activation_id: str
    store_id: str
    undone: bool = False


class GiftCardBound(Event, frozen=True, kw_only=True):
    """A member made a gift card their own."""

    card_id: int
