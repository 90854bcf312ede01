"""The phone's announcements and handbook."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import instant_part, make_cursor, read_cursor, read_instant
from backend.members import queries as members

from .. import queries, views
from ..commands import announcements
from ..queries.announcements import Standing
from ..rules import tree
from ..schemas import (
    ContentsOut,
    FoundListOut,
    PageOut,
    SearchQuery,
    ShownDetail,
    ShownListOut,
    ShownQuery,
)
from ..types import Chapter
from .handbook import page_of

router = Router(tag="announcements")

_ANNOUNCEMENTS = "/v1/member/announcements"
_ANNOUNCEMENT = f"{_ANNOUNCEMENTS}/{{announcement_id}}"
_HANDBOOK = "/v1/member/handbook"


@router.get(_ANNOUNCEMENTS, guard=member, summary="公告", errors=(ValidationFailed,))
async def list_announcements(caller: MemberCaller, query: ShownQuery) -> ShownListOut:
    """What is announced to this member, and how much of it they have not read."""
    now, found = clock.now(), await members.get_member(caller.member_id)
    items, more = await queries.list_shown(found, now, after=_read_cursor(query.cursor), limit=query.limit)
    return ShownListOut(
        [views.shown(item) for item in items],
        make_cursor(str(int(more[0])), instant_part(more[1]), more[2]) if more else None,
        await queries.count_unread(found, now),
    )


def _read_cursor(cursor: str | None) -> Standing | None:
    if cursor is None:
        return None
    parts = read_cursor(cursor, 3)
    at = read_instant(parts[1]) if parts else None
    if parts is None or at is None or parts[0] not in ("0", "1"):
        raise invalid("/query/cursor", "not a cursor of this list")
    return parts[0] == "1", at, parts[2]


@router.get(_ANNOUNCEMENT, guard=member, summary="公告详情", errors=(NotFound,))
async def get_announcement(caller: MemberCaller, announcement_id: str) -> ShownDetail:
    """One announcement with its text; that it was read is said by ``…/read``."""
    shown = await queries.find_shown(await members.get_member(caller.member_id), announcement_id, clock.now())
    text = await queries.find_announcement(announcement_id) if shown else None
    if shown is None or text is None:
        raise NotFound("there is no such announcement")
    return views.shown_detail(shown, text.blocks)


@router.post(f"{_ANNOUNCEMENT}/read", guard=member, summary="已读", errors=(NotFound,))
async def read(caller: MemberCaller, announcement_id: str) -> None:
    """Say that it was read; once is enough, and counted."""
    await announcements.read(caller.member_id, announcement_id)


@router.get(_HANDBOOK, guard=member, summary="服务手册目录")
async def get_contents(caller: MemberCaller) -> ContentsOut:
    """The chapters that this member is shown."""
    return ContentsOut([views.node(chapter) for chapter in await _readable(caller)])


@router.get(f"{_HANDBOOK}/search", guard=member, summary="搜索服务手册", errors=(ValidationFailed,))
async def search(caller: MemberCaller, query: SearchQuery) -> FoundListOut:
    """Chapters that answer a question."""
    level = (await members.get_card(caller.member_id)).level.code
    found = await queries.search_handbook(query.q, query.limit, level=level)
    return FoundListOut([views.found(item) for item in found])


@router.get(f"{_HANDBOOK}/pages/{{chapter_id}}", guard=member, summary="阅读服务手册", errors=(NotFound,))
async def get_page(caller: MemberCaller, chapter_id: str) -> PageOut:
    """A chapter, as it is shown now."""
    return await page_of(chapter_id, await _readable(caller))


async def _readable(caller: MemberCaller) -> list[Chapter]:
    level = (await members.get_card(caller.member_id)).level.code
    return tree.shown_to(await queries.list_chapters(), level=level, staff=False)
