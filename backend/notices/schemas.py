"""Bodies and answers of the calls about announcements and the handbook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.audience.types import Audience
from backend.kernel.http import Body

from .types import MOST_CHARS, AnnouncementState, Blocks, Line, Visibility

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Summary = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)", description="摘要")]
Text = Annotated[
    str, Meta(max_length=MOST_CHARS, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)", description="Markdown 正文")
]
MediaId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Instant = Annotated[datetime, Meta(tz=True)]
ChapterId = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[A-Z0-9]+$(?!\n)")]
LevelCode = Annotated[str, Meta(min_length=1, max_length=20)]
Revision = Annotated[int, Meta(ge=0, le=1_000_000)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]

Status = Literal["draft", "scheduled", "live", "over", "withdrawn"]
"""How an announcement stands at this instant."""


class PreviewIn(Body):
    """A text as it is being written."""

    body: Text


class PreviewOut(msgspec.Struct):
    """The same as a phone draws it."""

    blocks: Blocks


class AnnouncementIn(Body, kw_only=True):
    """An announcement; it begins as a draft, and may be changed until it is published.

    Without ``starts_at`` it is shown from its publishing on, without ``ends_at`` until it is withdrawn.
    """

    title: Title
    summary: Summary = ""
    body: Text
    cover: MediaId | None = None
    audience: Audience = Audience()
    pinned: bool = False
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class AnnouncementChangeIn(AnnouncementIn, kw_only=True):
    """A draft in place of the one that was read as ``version``."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


class PinIn(Body):
    """Whether it stands above the others."""

    pinned: bool


class AnnouncementRow(msgspec.Struct, kw_only=True):
    """An announcement in a list; ``readers``: how many members have read it."""

    id: str
    store_id: str | None
    status: Status
    title: str
    pinned: bool
    starts_at: datetime | None
    ends_at: datetime | None
    updated_at: datetime
    readers: int


class AnnouncementRowsOut(msgspec.Struct):
    """Announcements, the newest change first."""

    items: list[AnnouncementRow]
    next_cursor: str | None


class AnnouncementsQuery(Body):
    """Which announcements."""

    status: Status | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AnnouncementAdminOut(msgspec.Struct, kw_only=True):
    """An announcement as staff see it: as it was written, and as phones draw it."""

    id: str
    store_id: str | None
    state: AnnouncementState
    status: Status
    title: str
    summary: str
    body: str
    blocks: Blocks
    cover: str | None
    cover_url: str | None
    audience: Audience
    pinned: bool
    starts_at: datetime | None
    ends_at: datetime | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class ReachOut(msgspec.Struct):
    """How many members an announcement is meant for now, how many have read it, and their share in basis points.

    Who has read it and is not meant any more counts among the readers; the share is 10,000 at most.
    """

    meant: int
    readers: int
    reach_bp: int


class ReadersQuery(Body):
    """Which part of the list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class ReaderOut(msgspec.Struct):
    """A member who has read it."""

    member_id: str
    member_no: str
    name_masked: str
    read_at: datetime


class ReadersOut(msgspec.Struct):
    """Those who have read it, the last first."""

    items: list[ReaderOut]
    next_cursor: str | None


class ShownOut(msgspec.Struct, kw_only=True):
    """An announcement in the phone's list."""

    id: str
    title: str
    summary: str
    cover_url: str | None
    cover_small_url: str | None
    pinned: bool
    starts_at: datetime
    read: bool


class ShownListOut(msgspec.Struct):
    """What is announced to this member: the pinned first, then the newest; ``unread`` goes to 99."""

    items: list[ShownOut]
    next_cursor: str | None
    unread: int


class ShownQuery(Body):
    """Which part of the list."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class ShownDetail(ShownOut, kw_only=True):
    """An announcement with its text."""

    blocks: Blocks


# ------------------------------------------------------------------------------------------------------- handbook


class PlaceIn(Body, kw_only=True):
    """Where a chapter stands and whom it is for; ``levels`` where only members of these are to see it."""

    parent_id: ChapterId | None = None
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0
    visibility: Visibility = Visibility.EVERYONE
    levels: Annotated[tuple[LevelCode, ...], Meta(max_length=50)] = ()


class ChapterIn(PlaceIn, kw_only=True):
    """A new chapter, with its first draft."""

    title: Title
    body: Text = ""
    note: Summary = ""


class DraftIn(Body, kw_only=True):
    """A chapter's draft in place of the one that was read as ``revision`` (0: there was none)."""

    title: Title
    body: Text
    note: Summary = ""
    revision: Revision


class PublishIn(Body):
    """Which draft is meant: it is published only as it was read."""

    revision: Annotated[int, Meta(ge=1, le=1_000_000)]


class ChapterRow(msgspec.Struct, kw_only=True):
    """A chapter in the tree; ``current`` and ``draft`` are numbers of versions."""

    id: str
    parent_id: str | None
    sort: int
    title: str
    visibility: Visibility
    levels: list[str]
    current: int | None
    draft: int | None
    updated_at: datetime


class ChaptersOut(msgspec.Struct):
    """Every chapter, as a book is read."""

    items: list[ChapterRow]


class VersionOut(msgspec.Struct, kw_only=True):
    """A version of a chapter: as it was written, and as phones draw it."""

    number: int
    title: str
    body: str
    blocks: Blocks
    note: str
    revision: int
    staff_id: str
    saved_at: datetime
    published_at: datetime | None


class VersionRow(msgspec.Struct, kw_only=True):
    """A version in a chapter's history."""

    number: int
    title: str
    note: str
    staff_id: str
    saved_at: datetime
    published_at: datetime | None
    current: bool


class VersionsQuery(Body):
    """Those before a number."""

    before: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class VersionsOut(msgspec.Struct):
    """Fifty versions, the newest first."""

    items: list[VersionRow]


class ChapterOut(msgspec.Struct, kw_only=True):
    """A chapter for those who write it."""

    chapter: ChapterRow
    current: VersionOut | None
    draft: VersionOut | None


class DiffQuery(Body, kw_only=True):
    """Two versions of a chapter."""

    old: Annotated[int, Meta(ge=1, le=1_000_000)]
    new: Annotated[int, Meta(ge=1, le=1_000_000)]


class DiffOut(msgspec.Struct):
    """Every line of both versions."""

    old_title: str
    new_title: str
    lines: list[Line]


class NodeOut(msgspec.Struct):
    """A chapter in a reader's table of contents; those below it follow it."""

    id: str
    parent_id: str | None
    title: str


class ContentsOut(msgspec.Struct):
    """The chapters that this reader is shown, as a book is read."""

    items: list[NodeOut]


class PageOut(msgspec.Struct, kw_only=True):
    """A chapter as a reader sees it; ``above`` are the chapters above it, ``below`` those right under it."""

    id: str
    title: str
    above: list[NodeOut]
    below: list[NodeOut]
    blocks: Blocks
    published_at: datetime


class SearchQuery(Body, kw_only=True):
    """What is looked for, in words or as a question."""

    q: Annotated[str, Meta(min_length=1, max_length=80)]
    limit: Annotated[int, Meta(ge=1, le=20)] = 10


class FoundOut(msgspec.Struct):
    """A chapter in which it stands; ``above`` are the titles of those above it."""

    id: str
    title: str
    above: list[str]
    excerpt: str


class FoundListOut(msgspec.Struct):
    """What was found, the best first."""

    items: list[FoundOut]
