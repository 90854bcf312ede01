"""Letters, what they are made from, and the ways that they go (public)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from backend.audience.types import Audience


class Purpose(StrEnum):
    """Why a letter is sent. ``service`` is about the member's own affair; the others need the member's consent."""

    SERVICE = "service"
    CARE = "care"
    SURVEY = "survey"
    MARKETING = "marketing"


class Channel(StrEnum):
    """How a letter reaches the member."""

    INBOX = "inbox"
    WECHAT = "wechat"
    SMS = "sms"
    EMAIL = "email"
    POST = "post"


class State(StrEnum):
    """How far a delivery is.

    ``queued`` waits for its time; ``sending`` was handed to the channel, whose answer is not known; ``sent`` was taken
    by it, ``delivered`` arrived; ``opened`` and ``clicked`` are what the member did; ``failed`` was given up,
    ``bounced`` came back, ``suppressed`` was not to be sent, for the reason that it says.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    FAILED = "failed"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"


class VariableKind(StrEnum):
    """What a variable's value is: text, a whole number, fen, a day (``2026-11-27``) or an instant (RFC 3339)."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    TIME = "time"


class Variable(msgspec.Struct, frozen=True):
    """What stands in a template as ``{name}``; ``label`` says it to staff, ``sample`` is shown in a preview."""

    name: str
    kind: VariableKind = VariableKind.TEXT
    label: str = ""
    sample: str = ""


class Builtin(msgspec.Struct, frozen=True):
    """A template that a domain brings along. ``variables`` are those that its letters' ``values`` have.

    What stands in ``title`` or ``body`` and is not named in ``variables`` is a text.
    """

    code: str
    purpose: Purpose
    title: str
    body: str
    channels: tuple[Channel, ...] = (Channel.INBOX,)
    variables: tuple[Variable, ...] = ()


class Letter(msgspec.Struct, frozen=True):
    """What to tell one member: a template, the values of its variables, and what makes it one (``once``).

    ``link`` is an address of the phone page (``#/cases/123``). Before ``send_at`` nothing is sent or shown.
    """

    member_id: int
    template: str
    values: Mapping[str, str]
    once: str
    link: str | None = None
    send_at: datetime | None = None


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one channel says instead of the template's own text; None: as the template says it.

    ``template_id`` and ``fields`` are the provider's: the id of a template there, and what each of its fields is filled
    with (a text with variables).
    """

    title: str | None = None
    body: str | None = None
    template_id: str | None = None
    fields: dict[str, str] = {}


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it is used now. ``version`` 0 is the built-in's own text."""

    code: str
    purpose: Purpose
    version: int
    title: str
    body: str
    channels: tuple[Channel, ...]
    variables: tuple[Variable, ...] = ()
    texts: dict[Channel, Text] = {}
    builtin: bool = False


class InboxLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as its member sees it."""

    id: str
    member_id: int
    template: str
    purpose: Purpose
    title: str
    body: str
    link: str | None
    at: datetime
    read_at: datetime | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A letter on one channel, and how far it is."""

    channel: Channel
    state: State
    reason: str | None
    attempts: int
    next_at: datetime | None
    sent_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None


class SentLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as staff see it: with what became of it, and how often the member wrote back."""

    id: str
    template: str
    version: int
    purpose: Purpose
    title: str
    body: str
    link: str | None
    batch_id: str | None
    at: datetime
    send_at: datetime
    read_at: datetime | None
    replies: int
    deliveries: tuple[Delivery, ...]


class Consent(msgspec.Struct, frozen=True):
    """Whether letters of a purpose may go on a channel; ``at`` is when the member said so, None for never."""

    channel: Channel
    purpose: Purpose
    granted: bool
    at: datetime | None


class ConsentChange(msgspec.Struct, frozen=True):
    """A word of a member about letters; ``by`` is ``member``, ``staff:<id>`` or ``link``."""

    id: int
    channel: Channel
    purpose: Purpose
    granted: bool
    by: str
    at: datetime


class BatchState(StrEnum):
    """How a batch stands. ``done``: every letter was written, and none of them waits to be sent any more."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A template that is sent to an audience. ``after`` is the last member who was written to, by id.

    ``expected`` is how many the audience was when it was asked for, ``written`` how many letters there are so far;
    ``problem`` says why it was paused by itself.
    """

    id: str
    title: str
    template: str
    purpose: Purpose
    given: dict[str, str]
    audience: Audience
    link: str | None
    store_id: str | None
    state: BatchState
    problem: str | None
    expected: int
    written: int
    after: int
    send_at: datetime | None
    staff_id: int
    created_at: datetime
    started_at: datetime | None
    written_at: datetime | None
    ended_at: datetime | None
    version: int


class Count(msgspec.Struct, frozen=True):
    """How many deliveries there are on a channel in a state, for a reason."""

    channel: Channel
    state: State
    reason: str | None
    count: int


class Subscription(msgspec.Struct, frozen=True):
    """A template at WeChat, the titles of the letters that are sent with it, and how many of it a member accepted."""

    template_id: str
    titles: tuple[str, ...]
    available: int


def delivery_id(letter_id: str, channel: Channel) -> str:
    """The name of a letter on one channel; providers are given it, so that they know a repeat."""
    return f"{letter_id}-{channel.value}"
