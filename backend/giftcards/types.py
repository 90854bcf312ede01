"""What the layers above know of gift cards."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Holder(StrEnum):
    """Whose a card can be.

    ``bearer``: whoever shows number and PIN. ``bindable``: the same until a member binds it. A bound card is that
    member's, who pays with it by their code, and nobody else's. ``named``: pays nothing before it is bound.
    """

    BEARER = "bearer"
    BINDABLE = "bindable"
    NAMED = "named"


class CardState(StrEnum):
    """How a card stands: made and worth nothing, loaded, stopped by staff, over for good."""

    MADE = "made"
    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class GiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card as it stands. ``valid_until`` is its last day (None: it has none); ``member_id`` None: nobody bound it.

    ``activations`` counts how often it was loaded, ``activation_id`` names the last time; ``balance_fen`` is what its
    books say.
    """

    id: int
    product_id: str
    batch_id: str
    title: str
    holder: Holder
    last4: str
    state: CardState
    member_id: int | None
    bound_at: datetime | None
    activated_at: datetime | None
    activations: int
    activation_id: str | None
    valid_until: date | None
    replaced_by: int | None
    balance_fen: int

    @property
    def number_masked(self) -> str:
        """Its number as it may be shown."""
        return f"**** **** **** {self.last4}"


class Payment(msgspec.Struct, frozen=True):
    """What a card pays of a sale."""

    card_id: int
    amount_fen: int


class Return(msgspec.Struct, frozen=True):
    """What a refund of a sale gives back to a card; ``before_fen`` is what earlier ones did."""

    card_id: int
    amount_fen: int
    before_fen: int
