"""Which letters a member wants: the member's own page, and what staff see and write down of it."""

from __future__ import annotations

from datetime import datetime

from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place
from backend.members import queries as members

from .. import queries, views
from ..commands import consents
from ..schemas import ConsentChangesOut, ConsentsIn, ConsentsOut, PageQuery

router = Router(tag="messages")

_OWN = "/v1/member/messages/consents"
_OF_MEMBER = "/v1/admin/messages/members/{member_id}/consents"


@router.get(_OWN, guard=member, summary="消息订阅设置")
async def list_own(caller: MemberCaller) -> ConsentsOut:
    """Which letters the caller wants, by purpose and channel."""
    return views.consents(await queries.list_consents(caller.member_id))


@router.put(_OWN, guard=member, summary="修改消息订阅", errors=(ValidationFailed,))
async def put_own(caller: MemberCaller, body: ConsentsIn) -> ConsentsOut:
    """Say which letters the caller wants; asking again changes nothing."""
    await consents.say(caller.member_id, body.items, by="member")
    return views.consents(await queries.list_consents(caller.member_id))


@router.get(_OF_MEMBER, guard=staff(Permission.MESSAGES_READ), summary="会员的消息订阅", errors=(NotFound,))
async def list_of_member(caller: StaffCaller, member_id: str) -> ConsentsOut:
    """Which letters a member wants; a manager sees the own store's members."""
    return views.consents(await queries.list_consents(await reached(caller, member_id)))


@router.put(
    _OF_MEMBER,
    guard=staff(Permission.MESSAGES_CONSENTS),
    summary="代会员修改消息订阅",
    errors=(NotFound, ValidationFailed),
)
async def put_of_member(caller: StaffCaller, member_id: str, body: ConsentsIn) -> ConsentsOut:
    """Write down what a member said to staff; who wrote it is kept."""
    id_ = await reached(caller, member_id)
    await consents.say(id_, body.items, by=f"staff:{caller.staff_id}")
    return views.consents(await queries.list_consents(id_))


@router.get(
    f"{_OF_MEMBER}/changes",
    guard=staff(Permission.MESSAGES_READ),
    summary="消息订阅变更记录",
    errors=(NotFound, ValidationFailed),
)
async def list_changes(caller: StaffCaller, member_id: str, query: PageQuery) -> ConsentChangesOut:
    """Each word of a member about letters: when, and who wrote it down."""
    id_ = await reached(caller, member_id)
    found = await queries.list_consent_changes(id_, before=read_number_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].at, str(page[-1].id)) if len(found) > query.limit else None
    return ConsentChangesOut([views.consent_change(item) for item in page], last)


async def reached(caller: StaffCaller, member_id: str) -> int:
    """The member that is named, if this person may see them."""
    id_ = ids.read_bigint(member_id)
    found = await members.find_member(id_) if id_ is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return found.id


def read_number_place(cursor: str | None) -> tuple[datetime, int] | None:
    """The place in a list whose ids are numbers."""
    place = read_place(cursor)
    if place is None:
        return None
    return place[0], ids.read_bigint(place[1]) or 0
