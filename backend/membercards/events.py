"""What happens to member cards."""

from __future__ import annotations

from datetime import date

from backend.kernel.events import Event


class MemberCardIssued(Event, frozen=True, kw_only=True):
    """A member got a card; ``level`` is what its holders have at least, if it gives one, to its last day.

    ``replaces`` is the card whose place it took.
    """

    card_id: int
    last4: str
    virtual: bool
    level: str | None = None
    until: date | None = None
    replaces: int | None = None


class MemberCardEnded(Event, frozen=True, kw_only=True):
    """A card that was a member's is of no use any more, and none took its place."""

    card_id: int


class MemberCardLost(Event, frozen=True, kw_only=True):
    """A member's card was reported lost: it is good nowhere. ``step`` is the place of this in the card's history."""

    card_id: int
    last4: str
    step: int


class MemberCardFound(Event, frozen=True, kw_only=True):
    """A card that was reported lost is good again."""

    card_id: int
    last4: str
    step: int


class MemberCardPaid(Event, frozen=True, kw_only=True):
    """A till was paid for a card, or (``back``) gave its deposit back: so many fen, as the document says."""

    document_id: str
    store_id: str
    fen: int
    back: bool = False
