"""Staff's calls about announcements."""

from __future__ import annotations

from backend.audience import queries as audiences
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import instant_part, make_cursor, place_cursor, read_cursor, read_instant, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, service, views
from ..commands import announcements
from ..errors import AnnouncementChanged, AnnouncementConflict
from ..schemas import (
    AnnouncementAdminOut,
    AnnouncementChangeIn,
    AnnouncementIn,
    AnnouncementRowsOut,
    AnnouncementsQuery,
    PinIn,
    PreviewIn,
    PreviewOut,
    PublishIn,
    ReachOut,
    ReaderOut,
    ReadersOut,
    ReadersQuery,
)
from ..types import Announcement

router = Router(tag="announcements")

_ALL = "/v1/admin/announcements"
_ONE = f"{_ALL}/{{announcement_id}}"
LAST = 100


@router.get(_ALL, guard=staff(Permission.ANNOUNCEMENTS_MANAGE), summary="公告列表", errors=(ValidationFailed,))
async def list_announcements(caller: StaffCaller, query: AnnouncementsQuery) -> AnnouncementRowsOut:
    """Announcements, the newest change first; a manager's own store's only."""
    now = clock.now()
    found = await queries.list_announcements(
        query.status, caller.store_id, now, after=read_place(query.cursor), limit=query.limit + 1
    )
    page = found[: query.limit]
    more = place_cursor(page[-1][0].updated_at, page[-1][0].id) if len(found) > query.limit else None
    return AnnouncementRowsOut([views.row(item, readers, now) for item, readers in page], more)


@router.post(
    _ALL,
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    status=201,
    idempotent=True,
    summary="新建公告",
    errors=(ValidationFailed, IdempotencyConflict),
)
async def create(caller: StaffCaller, body: AnnouncementIn, idem: Idempotency) -> Answer[AnnouncementAdminOut]:
    """Add an announcement as a draft. A manager's is for members of the own store."""
    found, known = await announcements.create(caller, body, idem)
    return Answer(_out(found), replayed=known)


@router.post(
    f"{_ALL}/preview", guard=staff(Permission.ANNOUNCEMENTS_MANAGE), summary="预览", errors=(ValidationFailed,)
)
async def preview(caller: StaffCaller, body: PreviewIn) -> PreviewOut:
    """A text as phones will draw it; refused where a link or a picture may not be in it."""
    return PreviewOut(await service.read_text(body.body))


@router.get(_ONE, guard=staff(Permission.ANNOUNCEMENTS_MANAGE), summary="公告详情", errors=(NotFound,))
async def get_announcement(caller: StaffCaller, announcement_id: str) -> AnnouncementAdminOut:
    """One announcement."""
    return _out(await announcements.get_announcement(caller, announcement_id))


@router.put(
    _ONE,
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    summary="修改公告草稿",
    errors=(NotFound, ValidationFailed, AnnouncementConflict, AnnouncementChanged),
)
async def change(caller: StaffCaller, announcement_id: str, body: AnnouncementChangeIn) -> AnnouncementAdminOut:
    """Put another draft in the place of the one that was read as ``version``."""
    return _out(await announcements.change(caller, announcement_id, body))


@router.post(
    f"{_ONE}/publish",
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    summary="发布公告",
    errors=(NotFound, ValidationFailed, AnnouncementConflict, AnnouncementChanged),
)
async def publish(caller: StaffCaller, announcement_id: str, body: PublishIn) -> AnnouncementAdminOut:
    """Show it in its time; ``revision`` is the ``version`` that was read."""
    return _out(await announcements.publish(caller, announcement_id, body.revision))


@router.post(
    f"{_ONE}/withdraw",
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    summary="撤回公告",
    errors=(NotFound, AnnouncementConflict),
)
async def withdraw(caller: StaffCaller, announcement_id: str) -> AnnouncementAdminOut:
    """Show it no longer; one whose time has not come is a draft again."""
    return _out(await announcements.withdraw(caller, announcement_id))


@router.post(
    f"{_ONE}/pin",
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    summary="置顶公告",
    errors=(NotFound, ValidationFailed, AnnouncementConflict),
)
async def pin(caller: StaffCaller, announcement_id: str, body: PinIn) -> AnnouncementAdminOut:
    """Let it stand above the others, or no longer."""
    return _out(await announcements.pin(caller, announcement_id, pinned=body.pinned))


@router.get(f"{_ONE}/reach", guard=staff(Permission.ANNOUNCEMENTS_MANAGE), summary="公告到达率", errors=(NotFound,))
async def get_reach(caller: StaffCaller, announcement_id: str) -> ReachOut:
    """How many of those whom it is meant for have read it."""
    found = await announcements.get_announcement(caller, announcement_id)
    meant = await audiences.count(found.audience)
    readers = await queries.count_readers(found.id)
    return ReachOut(meant, readers, min(10_000, readers * 10_000 // meant) if meant else 0)


@router.get(
    f"{_ONE}/readers",
    guard=staff(Permission.ANNOUNCEMENTS_MANAGE),
    summary="已读会员",
    errors=(NotFound, ValidationFailed),
)
async def list_readers(caller: StaffCaller, announcement_id: str, query: ReadersQuery) -> ReadersOut:
    """Who has read it and when, the last first; a manager sees members of the own store."""
    found = await announcements.get_announcement(caller, announcement_id)
    after = None
    if query.cursor is not None:
        parts = read_cursor(query.cursor, 2)
        at = read_instant(parts[0]) if parts else None
        member_id = ids.read_bigint(parts[1]) if parts else None
        if at is None or member_id is None:
            raise invalid("/query/cursor", "not a cursor of this list")
        after = (at, member_id)
    readers, place = await queries.list_readers(found.id, after=after, limit=query.limit, store_id=caller.store_id)
    return ReadersOut(
        [ReaderOut(str(one.member_id), one.member_no, one.name_masked, one.read_at) for one in readers],
        make_cursor(instant_part(place[0]), str(place[1])) if place else None,
    )


@router.get(f"{_ONE}/changes", guard=staff(Permission.ANNOUNCEMENTS_MANAGE), summary="公告变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, announcement_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await announcements.get_announcement(caller, announcement_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


def _out(found: Announcement) -> AnnouncementAdminOut:
    return views.announcement(found, clock.now())
