"""What the calls of composing surveys and of entering answers take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.audience.types import EVERYBODY, Audience
from backend.kernel.http import Body

from ..types import AfterSale, Content, Given, Quota, Reward, SurveyState

Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Instant = Annotated[datetime, Meta(tz=True)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
SurveyId = Annotated[str, Meta(min_length=1, max_length=16)]
Answers = Annotated[tuple[Given, ...], Meta(max_length=100)]


class ProjectIn(Body, kw_only=True):
    """A project."""

    name: Title
    note: Note = ""
    archived: bool = False


class ProjectOut(msgspec.Struct):
    """A project, and how many surveys are kept under it."""

    id: str
    name: str
    note: str
    archived: bool
    surveys: int
    created_at: datetime
    updated_at: datetime


class ProjectsOut(msgspec.Struct):
    """A page of projects, newest first."""

    items: list[ProjectOut]
    next_cursor: str | None


class PageQuery(Body, kw_only=True):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 20


class SurveyIn(Body, kw_only=True):
    """A survey: its terms and what it asks.

    Once it was published, ``anonymous``, ``reward`` and ``after_sale`` stay as they are; changed ``content`` is a draft
    until it is published as the next version. ``updated_at`` as it was read: with it a survey that somebody else has
    changed meanwhile is not written over.
    """

    project_id: SurveyId
    title: Title
    content: Content = Content()
    anonymous: Annotated[bool, Meta(description="匿名：答卷不留会员、不留时刻")] = False
    audience: Annotated[Audience, Meta(description="邀请谁；不限定即全体会员")] = EVERYBODY
    after_sale: Annotated[AfterSale | None, Meta(description="消费后邀请")] = None
    total: Annotated[int, Meta(ge=1, le=10_000_000, description="最多多少份答卷")] | None = None
    quotas: Annotated[tuple[Quota, ...], Meta(max_length=50)] = ()
    reward: Reward | None = None
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    updated_at: Instant | None = None


class QuotaOut(msgspec.Struct):
    """A quota and how much of it is taken (None: too few to be told); ``key``: ``total``, ``level:…``, ``answer:…``."""

    key: str
    limit: int
    taken: int | None


class SurveyRow(msgspec.Struct, kw_only=True):
    """A survey in a list. ``answers`` None: a store's of an anonymous one, too few to be told."""

    id: str
    project_id: str
    title: str
    state: SurveyState
    anonymous: bool
    version: int
    answers: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class SurveyOut(SurveyRow, kw_only=True):
    """A survey as staff see it. ``content`` is the draft; ``changed``: it differs from what is published.

    A store's staff are told what is published, no numbers of quotas (``taken`` is empty), and of members who were named
    one by one only that there are some (``member_nos`` is empty).
    """

    audience: Audience
    after_sale: AfterSale | None
    total: int | None
    quotas: list[Quota]
    taken: list[QuotaOut]
    reward: Reward | None
    content: Content
    changed: bool


class SurveysQuery(Body, kw_only=True):
    """Which surveys, and which page."""

    project_id: SurveyId | None = None
    state: SurveyState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class SurveysOut(msgspec.Struct):
    """A page of surveys, newest first."""

    items: list[SurveyRow]
    next_cursor: str | None


class InvitationOut(msgspec.Struct):
    """Letters to all who are meant and have not answered: how many so far, and when the last was written."""

    round: int
    asked_at: datetime
    invited: int
    ended_at: datetime | None


class InvitationsOut(msgspec.Struct):
    """The invitations that were sent, the last first."""

    items: list[InvitationOut]


class VersionOut(msgspec.Struct):
    """What was published as that version; it never changes."""

    version: int
    content: Content


class EntryIn(Body, kw_only=True):
    """An answer that came on paper or by telephone, as staff enter it.

    ``version`` is the one that was printed or read out (the newest without it). ``member_no`` is whose answer it is;
    without one it counts, and nobody is rewarded. An anonymous survey takes none.
    """

    medium: Literal["paper", "telephone"]
    version: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    member_no: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    store_id: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    answers: Answers


class EntryOut(msgspec.Struct, kw_only=True):
    """An answer that was entered."""

    id: str
    medium: str
    entered_by: str
    answered_on: date
    score: int | None
