"""How announcements and chapters look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from backend.mall import queries as mall

from .rules import tree
from .schemas import (
    AnnouncementAdminOut,
    AnnouncementRow,
    ChapterRow,
    FoundOut,
    NodeOut,
    PageOut,
    ShownDetail,
    ShownOut,
    Status,
    VersionOut,
    VersionRow,
)
from .types import Announcement, AnnouncementState, Blocks, Chapter, Found, Shown, Version


def status(found: Announcement, now: datetime) -> Status:
    """How an announcement stands at that instant."""
    if found.state is not AnnouncementState.PUBLISHED:
        return "draft" if found.state is AnnouncementState.DRAFT else "withdrawn"
    if found.starts_at is not None and found.starts_at > now:
        return "scheduled"
    return "over" if found.ends_at is not None and found.ends_at <= now else "live"


def row(found: Announcement, readers: int, now: datetime) -> AnnouncementRow:
    """An announcement in a list."""
    return AnnouncementRow(
        id=found.id,
        store_id=found.store_id,
        status=status(found, now),
        title=found.title,
        pinned=found.pinned,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        updated_at=found.updated_at,
        readers=readers,
    )


def announcement(found: Announcement, now: datetime) -> AnnouncementAdminOut:
    """An announcement as staff see it."""
    return AnnouncementAdminOut(
        id=found.id,
        store_id=found.store_id,
        state=found.state,
        status=status(found, now),
        title=found.title,
        summary=found.summary,
        body=found.body,
        blocks=found.blocks,
        cover=found.cover,
        cover_url=mall.picture_url(found.cover),
        audience=found.audience,
        pinned=found.pinned,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        version=found.version,
        created_by=str(found.created_by),
        created_at=found.created_at,
        updated_at=found.updated_at,
        published_at=found.published_at,
    )


def shown(item: Shown) -> ShownOut:
    """An announcement in the phone's list."""
    url = mall.picture_url(item.cover)
    return ShownOut(
        id=item.id,
        title=item.title,
        summary=item.summary,
        cover_url=url,
        cover_small_url=f"{url}/small" if url else None,
        pinned=item.pinned,
        starts_at=item.starts_at,
        read=item.read,
    )


def shown_detail(item: Shown, blocks: Blocks) -> ShownDetail:
    """An announcement with its text."""
    return ShownDetail(**msgspec.structs.asdict(shown(item)), blocks=blocks)


def chapter_row(chapter: Chapter) -> ChapterRow:
    """A chapter in the tree that staff see."""
    return ChapterRow(
        id=chapter.id,
        parent_id=chapter.parent_id,
        sort=chapter.sort,
        title=chapter.title,
        visibility=chapter.visibility,
        levels=list(chapter.levels),
        current=chapter.current,
        draft=chapter.draft,
        updated_at=chapter.updated_at,
    )


def version(found: Version) -> VersionOut:
    """A version with its text."""
    return VersionOut(
        number=found.number,
        title=found.title,
        body=found.body,
        blocks=found.blocks,
        note=found.note,
        revision=found.revision,
        staff_id=str(found.staff_id),
        saved_at=found.saved_at,
        published_at=found.published_at,
    )


def version_row(found: Version, current: int | None) -> VersionRow:
    """A version in the history."""
    return VersionRow(
        number=found.number,
        title=found.title,
        note=found.note,
        staff_id=str(found.staff_id),
        saved_at=found.saved_at,
        published_at=found.published_at,
        current=found.number == current,
    )


def node(chapter: Chapter) -> NodeOut:
    """A chapter in the table of contents."""
    return NodeOut(chapter.id, chapter.parent_id, chapter.title)


def page(chapter: Chapter, text: Version, readable: Sequence[Chapter]) -> PageOut:
    """A chapter's page for a reader who is shown these chapters."""
    by_id: Mapping[str, Chapter] = {one.id: one for one in readable}
    assert text.published_at is not None
    return PageOut(
        id=chapter.id,
        title=text.title,
        above=[node(one) for one in tree.above(by_id, chapter)],
        below=[node(one) for one in readable if one.parent_id == chapter.id],
        blocks=text.blocks,
        published_at=text.published_at,
    )


def found(item: Found) -> FoundOut:
    """What a search found."""
    return FoundOut(item.chapter_id, item.title, list(item.above), item.excerpt)
