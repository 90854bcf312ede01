"""Bodies and answers of the calls about letters, their templates, and what members agree to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.audience.types import Audience
from backend.kernel.http import Body

from .types import BatchState, Channel, Purpose, State, VariableKind

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
_LINES = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]+$(?!\n)"
Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=_LINE)]
Content = Annotated[str, Meta(min_length=1, max_length=2000, pattern=_LINES)]
TemplateCode = Annotated[str, Meta(min_length=3, max_length=40, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$(?!\n)")]
VariableName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_]*$(?!\n)")]
Value = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Values = Annotated[dict[VariableName, Value], Meta(max_length=20)]
FieldName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z_]+[0-9]{0,2}$(?!\n)")]
ProviderTemplate = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Limit = Annotated[int, Meta(ge=1, le=50)]


class InboxQuery(Body):
    """Which page of the inbox."""

    cursor: str | None = None
    limit: Limit = 20
    unread: bool = False


class LetterOut(msgspec.Struct):
    """A letter of the inbox; ``link`` is an address of the phone page."""

    id: str
    template: str
    purpose: Purpose
    title: str
    body: str
    link: str | None
    at: datetime
    read_at: datetime | None


class InboxOut(msgspec.Struct):
    """Letters, newest first; ``unread`` counts all of the inbox."""

    items: list[LetterOut]
    unread: int
    next_cursor: str | None = None


class UnreadOut(msgspec.Struct):
    """How many letters were not read."""

    unread: int


class ConsentIn(Body):
    """A word about letters of a purpose on a channel."""

    channel: Channel
    purpose: Purpose
    granted: bool


class ConsentsIn(Body):
    """Words about letters; what is not named stays as it is."""

    items: Annotated[tuple[ConsentIn, ...], Meta(min_length=1, max_length=20)]


class ConsentOut(msgspec.Struct):
    """Whether letters of a purpose may go on a channel; ``at``: when the member said so, null for never."""

    channel: Channel
    purpose: Purpose
    granted: bool
    at: datetime | None


class ConsentsOut(msgspec.Struct):
    """Every channel and purpose."""

    items: list[ConsentOut]


class PageQuery(Body):
    """Which page of a list."""

    cursor: str | None = None
    limit: Limit = 20


class ConsentChangeOut(msgspec.Struct):
    """A word about letters: ``by`` is ``member``, ``staff:<id>``, ``till``, ``import`` or ``link``."""

    channel: Channel
    purpose: Purpose
    granted: bool
    by: str
    at: datetime


class ConsentChangesOut(msgspec.Struct):
    """Words about letters, newest first."""

    items: list[ConsentChangeOut]
    next_cursor: str | None = None


class VariableIn(Body):
    """A variable of a template; ``sample`` is shown in a preview."""

    name: VariableName
    kind: VariableKind = VariableKind.TEXT
    label: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    sample: Value = ""


class TextIn(Body):
    """What one channel says instead of the template's own text; ``template_id`` and ``fields`` are the provider's."""

    title: Title | None = None
    body: Content | None = None
    template_id: ProviderTemplate | None = None
    fields: Annotated[
        dict[FieldName, Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]], Meta(max_length=12)
    ] = msgspec.field(default_factory=dict)


class VersionIn(Body, kw_only=True):
    """A text of a template. Without ``variables`` they stay as they are; a built-in's are its own."""

    title: Title
    body: Content
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=5)]
    texts: dict[Channel, TextIn] = msgspec.field(default_factory=dict)
    variables: Annotated[tuple[VariableIn, ...], Meta(max_length=20)] | None = None


class TemplateIn(VersionIn, kw_only=True):
    """A template of staff's own, for batches and care."""

    code: TemplateCode
    purpose: Purpose


class UseIn(Body):
    """Which version letters are written with from now on; 0 is a built-in's own text."""

    version: Annotated[int, Meta(ge=0, le=1_000_000)]


class VariableOut(msgspec.Struct):
    """A variable of a template."""

    name: str
    kind: VariableKind
    label: str
    sample: str


class TextOut(msgspec.Struct):
    """What one channel says instead of the template's own text."""

    title: str | None
    body: str | None
    template_id: str | None
    fields: dict[str, str]


class TemplateOut(msgspec.Struct):
    """A template, in the version that it names; 0 is a built-in's own text. ``common`` are variables all may use."""

    code: str
    purpose: Purpose
    builtin: bool
    version: int
    title: str
    body: str
    channels: list[Channel]
    texts: dict[Channel, TextOut]
    variables: list[VariableOut]
    common: list[str]


class TemplatesOut(msgspec.Struct):
    """Templates as they are used now, by code."""

    items: list[TemplateOut]
    next_cursor: str | None = None


class PreviewIn(Body):
    """What to show: values of variables, a member who is written to, and a text that is not kept yet."""

    values: Values = msgspec.field(default_factory=dict)
    member_no: Annotated[str, Meta(max_length=20)] | None = None
    draft: VersionIn | None = None


class SaidOut(msgspec.Struct):
    """What a letter says on one channel."""

    channel: Channel
    title: str
    body: str
    template_id: str | None
    fields: dict[str, str]
    characters: int


class PreviewOut(msgspec.Struct):
    """A letter on each channel of its template."""

    items: list[SaidOut]


class BatchIn(Body, kw_only=True):
    """A template to be sent to an audience, at once or not before ``send_at``; ``values`` are its variables'."""

    title: Title
    template: TemplateCode
    values: Values = msgspec.field(default_factory=dict)
    audience: Audience
    link: Annotated[str, Meta(max_length=200, pattern=r"^[\x21-\x7e]*$(?!\n)")] | None = None
    send_at: Annotated[datetime, Meta(tz=True)] | None = None


class BatchChangeIn(BatchIn, kw_only=True):
    """A draft in place of the one that was read as ``version``."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


class BatchOut(msgspec.Struct, kw_only=True):
    """A batch; ``expected`` is how many the audience was when it was asked for, ``written`` how many letters there are.

    ``problem`` says why it was paused by itself.
    """

    id: str
    title: str
    template: str
    purpose: Purpose
    values: dict[str, str]
    audience: Audience
    link: str | None
    store_id: str | None
    state: BatchState
    problem: str | None
    expected: int
    written: int
    send_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int


class BatchesOut(msgspec.Struct):
    """Batches, newest first."""

    items: list[BatchOut]
    next_cursor: str | None = None


class CountOut(msgspec.Struct):
    """How many deliveries there are on a channel in a state, for a reason."""

    channel: Channel
    state: State
    reason: str | None
    count: int


class BatchDetail(BatchOut, kw_only=True):
    """A batch with its deliveries, counted."""

    counts: list[CountOut]


class SubscriptionsIn(Body):
    """What ``wx.requestSubscribeMessage`` answered for each template: ``accept``, ``reject``, ``ban``, ``filter``…"""

    results: Annotated[
        dict[ProviderTemplate, Annotated[str, Meta(min_length=1, max_length=30, pattern=r"^[A-Za-z]+$(?!\n)")]],
        Meta(min_length=1, max_length=5),
    ]


class SubscriptionOut(msgspec.Struct):
    """A template at WeChat, the titles of the letters that come by it, and how many messages of it are accepted."""

    template_id: str
    titles: list[str]
    available: int


class SubscriptionsOut(msgspec.Struct):
    """Every template at WeChat that letters are sent with."""

    items: list[SubscriptionOut]


class LetterReplyIn(Body):
    """An answer to a letter."""

    text: Annotated[str, Meta(min_length=1, max_length=500, pattern=_LINES)]


class LetterReplyOut(msgspec.Struct):
    """An answer to a letter, as it was kept."""

    id: str
    text: str
    at: datetime


class LetterRepliesOut(msgspec.Struct):
    """The caller's answers to a letter, oldest first; at most fifty."""

    items: list[LetterReplyOut]


class DeliveryOut(msgspec.Struct, kw_only=True):
    """A letter on one channel, and how far it is."""

    channel: Channel
    state: State
    reason: str | None
    attempts: int
    next_at: datetime | None
    sent_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None


class SentLetterOut(msgspec.Struct, kw_only=True):
    """A letter as staff see it: with what became of it on each channel, and how often the member wrote back."""

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
    deliveries: list[DeliveryOut]


class SentLettersOut(msgspec.Struct):
    """A member's letters, newest first."""

    items: list[SentLetterOut]
    next_cursor: str | None = None
