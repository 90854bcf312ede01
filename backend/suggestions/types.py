"""Boxes, suggestions, messages, and those who write without a name."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class BoxState(StrEnum):
    """Whether new suggestions go in; what is in it is answered all the same."""

    OPEN = "open"
    CLOSED = "closed"


class SuggestionState(StrEnum):
    """Whose turn it is: the staff's, the writer's, nobody's any more."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Author(StrEnum):
    """Who wrote a message."""

    WRITER = "writer"
    STAFF = "staff"


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A box as it stands; ``store_id`` None is the whole chain's, ``anonymous``: it takes what has no name on it."""

    id: str
    title: str
    topic: str
    store_id: str | None
    state: BoxState
    anonymous: bool
    version: int
    created_at: datetime
    updated_at: datetime
    administrators: tuple[int, ...]


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion as it stands; without ``member_id`` it is anonymous, and ``at`` is not known, only its day."""

    id: str
    box_id: str
    member_id: int | None
    state: SuggestionState
    day: date
    at: datetime | None
    assigned_to: int | None
    answered_at: datetime | None
    closed_at: datetime | None
    rating: int | None
    rating_text: str
    messages: int
    unanswered: int
    version: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message; pictures are members' uploads where the suggestion is named, else the box's own."""

    suggestion_id: str
    seq: int
    author: Author
    staff_id: int | None
    text: str
    pictures: tuple[str, ...]
    day: date
    at: datetime | None


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What signs the tickets of a week (its Monday); ``private`` is PKCS #8 (DER)."""

    id: str
    week: date
    private: bytes


class TicketCaller(msgspec.Struct, frozen=True):
    """Somebody with a ticket: who, nobody knows."""

    key_id: str
    nonce: bytes


class ReceiptCaller(msgspec.Struct, frozen=True):
    """Whoever has the receipt of a suggestion."""

    suggestion_id: str


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A box in a month, by the day of what was suggested; ``answer_days`` is the median to the first answer."""

    box_id: str
    month: date
    received: int
    anonymous: int
    answered: int
    closed: int
    rated: int
    rating_sum: int
    answer_days: float | None
