"""What happens to gift cards, for the layers above."""

from __future__ import annotations

from backend.kernel.events import Event


class GiftCardBound(Event, frozen=True, kw_only=True):
    """A member made a gift card their own."""

    card_id: int
