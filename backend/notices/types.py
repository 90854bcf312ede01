"""What the other domains know of announcements and the handbook, and the blocks that texts are made of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from backend.audience.types import Audience

MOST_CHARS = 20_000
"""Of a text, as it is written."""


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of text that looks alike; ``href`` is an https address, or a page of our own such as ``#/coupons``."""

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    href: str | None = None


Spans = tuple[Span, ...]


class Heading(msgspec.Struct, frozen=True, tag_field="type", tag="heading"):
    """A heading of level 1 to 3."""

    level: int
    spans: Spans


class Paragraph(msgspec.Struct, frozen=True, tag_field="type", tag="paragraph"):
    """A paragraph; a line break stands in its text."""

    spans: Spans


class Picture(msgspec.Struct, frozen=True, tag_field="type", tag="picture"):
    """One of our own pictures, in a line of its own."""

    media_id: str
    alt: str
    url: str
    small_url: str


class Code(msgspec.Struct, frozen=True, tag_field="type", tag="code"):
    """Text that is shown as it is typed."""

    text: str


class Rule(msgspec.Struct, frozen=True, tag_field="type", tag="rule"):
    """A line across."""


class Table(msgspec.Struct, frozen=True, tag_field="type", tag="table"):
    """A table: a heading, and rows with as many cells."""

    head: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]


class Quote(msgspec.Struct, frozen=True, tag_field="type", tag="quote"):
    """Blocks that are quoted."""

    blocks: tuple[Block, ...]


class Listing(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    """A list; ``first`` is the number of an ordered one's first item."""

    ordered: bool
    first: int
    items: tuple[tuple[Block, ...], ...]


Block = Heading | Paragraph | Picture | Code | Rule | Table | Quote | Listing
Blocks = tuple[Block, ...]


class AnnouncementState(StrEnum):
    """Being written; published, to be shown in its time; taken back for good."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement; ``store_id``: the store whose staff announce it, None for head office."""

    id: str
    store_id: str | None
    state: AnnouncementState
    title: str
    summary: str
    body: str
    blocks: Blocks
    cover: str | None
    audience: Audience
    pinned: bool
    starts_at: datetime | None
    ends_at: datetime | None
    version: int
    created_by: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement as a member is shown it."""

    id: str
    title: str
    summary: str
    cover: str | None
    pinned: bool
    starts_at: datetime
    read: bool


class Reader(msgspec.Struct, frozen=True):
    """A member who has read an announcement, and when."""

    member_id: int
    member_no: str
    name_masked: str
    read_at: datetime


class Visibility(StrEnum):
    """Whom a chapter is for: every member, members of some levels, or staff only. Staff read all of them."""

    EVERYONE = "everyone"
    LEVELS = "levels"
    STAFF = "staff"


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter's place, and what it is called: by its current version, or by its draft where it was never published.

    ``current`` is the number of the version that is shown, None for none; ``draft`` that of its draft.
    """

    id: str
    parent_id: str | None
    sort: int
    title: str
    visibility: Visibility
    levels: tuple[str, ...]
    current: int | None
    draft: int | None
    updated_at: datetime


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A text of a chapter; ``published_at`` is None for a draft, ``revision`` counts how often that was saved."""

    chapter_id: str
    number: int
    title: str
    body: str
    blocks: Blocks
    note: str
    revision: int
    staff_id: int
    saved_at: datetime
    published_at: datetime | None


class Found(msgspec.Struct, frozen=True):
    """A chapter that a question leads to: what stands above it, and where in its text the words are.

    ``score`` is the share of what was asked that is in it, in basis points.
    """

    chapter_id: str
    title: str
    above: tuple[str, ...]
    excerpt: str
    score: int


class Mark(StrEnum):
    """Whether a line is in both, only in the new one, or only in the old one."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


class Line(msgspec.Struct, frozen=True):
    """A line of either text."""

    mark: Mark
    text: str
