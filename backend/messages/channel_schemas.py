"""Bodies and answers of what is reported by gateways, of members' e-mail, and of labels."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.audience.types import Audience
from backend.kernel.http import Body

from .types import Channel, Purpose

Instant = Annotated[datetime, Meta(tz=True)]
EventId = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[!-~]+$(?!\n)")]
EmailText = Annotated[str, Meta(min_length=3, max_length=254)]


class ReceiptIn(Body):
    """What became of one message; ``reason`` where it failed."""

    id: EventId
    delivery_id: Annotated[str, Meta(max_length=64)]
    state: Literal["delivered", "failed"]
    at: Instant
    reason: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$(?!\n)")] | None = None


class ReceiptsIn(Body):
    """Receipts of the gateway, in any order."""

    items: Annotated[tuple[ReceiptIn, ...], Meta(min_length=1, max_length=100)]


class ReplyIn(Body):
    """What somebody wrote back."""

    id: EventId
    phone: Annotated[str, Meta(pattern=r"^\+?[0-9-]{5,20}$(?!\n)")]
    text: Annotated[str, Meta(max_length=500)]
    at: Instant

    def __repr__(self) -> str:
        return "<reply>"


class RepliesIn(Body):
    """Replies that came to the gateway."""

    items: Annotated[tuple[ReplyIn, ...], Meta(min_length=1, max_length=100)]


class TakenOut(msgspec.Struct):
    """How many of them were news."""

    taken: int


class EmailOut(msgspec.Struct):
    """A member's e-mail: what is confirmed, and what waits for its code. ``dead``: letters to it come back."""

    email_masked: str | None
    confirmed_at: datetime | None
    pending_masked: str | None
    dead: bool


class PutEmail(Body):
    """An e-mail address to write to."""

    email: EmailText

    def __repr__(self) -> str:
        return "<email>"


class ConfirmEmail(Body):
    """The code that came to it."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]

    def __repr__(self) -> str:
        return "<code>"


class RepliesQuery(Body):
    """Which page of the replies; ``stops`` also shows those that only ended letters."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    stops: bool = False


class ReplyOut(msgspec.Struct):
    """What a member wrote back to a message."""

    id: str
    member_id: str
    channel: Channel
    text: str
    stop: bool
    at: datetime
    letter_id: str | None = None


class RepliesOut(msgspec.Struct):
    """Replies, newest first."""

    items: list[ReplyOut]
    next_cursor: str | None = None


class SegmentsQuery(Body):
    """A text for SMS, and whether it needs consent."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    purpose: Literal["service", "care", "survey", "marketing"] = "service"


class SegmentsOut(msgspec.Struct):
    """The text as it is sent, its length in UCS-2 characters, and how many messages that is."""

    text: str
    characters: int
    segments: int
    most: int


class LayoutOut(msgspec.Struct):
    """A sheet of labels; lengths in mm. ``letter``: one page each, with the letter's text, for a window envelope."""

    code: str
    name: str
    columns: int
    rows: int
    width: float
    height: float
    letter: bool


class LayoutsOut(msgspec.Struct):
    """Every layout there is."""

    items: list[LayoutOut]


class SheetIn(Body):
    """Labels for an audience, or for the letters by post of a batch; ``skip`` places of the first sheet are used.

    ``purpose`` is why the audience is written to: members who did not agree to it by post are left out.
    """

    layout: Annotated[str, Meta(max_length=20)] = "a4-3x8"
    skip: Annotated[int, Meta(ge=0, le=63)] = 0
    audience: Audience | None = None
    batch_id: Annotated[str, Meta(max_length=20)] | None = None
    purpose: Purpose = Purpose.MARKETING


class SheetOut(msgspec.Struct):
    """A sheet: ``waiting``, ``done`` or ``failed``; who is not on it is counted."""

    id: str
    layout: str
    skip: int
    purpose: Purpose
    batch_id: str | None
    state: str
    problem: str | None
    labels: int
    pages: int
    no_address: int
    no_consent: int
    created_at: datetime
    ended_at: datetime | None


class PageOf(Body):
    """Which page of a list."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class SheetsOut(msgspec.Struct):
    """Sheets, newest first."""

    items: list[SheetOut]
    next_cursor: str | None = None


class DaysQuery(Body, rename={"from_on": "from", "to_on": "to"}):
    """Letters written on these days of the chain, both included, by default the last thirty; of what, and how."""

    from_on: date | None = None
    to_on: date | None = None
    template: Annotated[str, Meta(max_length=40)] | None = None
    channel: Channel | None = None


class LineOut(msgspec.Struct):
    """Deliveries of a template on one channel; ``opened`` and ``clicked`` are members, ``machines`` are not."""

    template: str
    title: str
    channel: Channel
    deliveries: int
    waiting: int
    suppressed: int
    failed: int
    bounced: int
    arrived: int
    opened: int
    clicked: int
    machines: int
    opened_bp: int | None
    clicked_bp: int | None


class MessageStatisticsOut(msgspec.Struct):
    """Lines, the largest first; rates are in 1/10000 of what arrived, null where nothing did."""

    items: list[LineOut]
