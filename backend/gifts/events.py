"""What happens to gifts, for the layers above."""

from __future__ import annotations

from backend.kernel.events import Event


class GiftMoneyMoved(Event, frozen=True, kw_only=True):
    """Stored value paid for a gift, or came back when it was undone."""

    redemption_id: str


class GiftPickedUp(Event, frozen=True, kw_only=True):
    """A till of that store handed a gift over."""

    redemption_id: str
    store_id: str
