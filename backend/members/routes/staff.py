"""Staff's calls about members."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import guessing, logging
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, place_cursor

from .. import queries, rules, schemas, views
from ..commands import finding, profile, standing
from ..errors import (
    PhoneInAddress,
    PhoneTaken,
    StatusConflict,
    VersionConflict,
)
from ..types import Status

log = logging.get(__name__)
router = Router(tag="member")


@router.get(
    "/v1/admin/members",
    guard=staff(Permission.MEMBERS_READ),
    errors=(PhoneInAddress, RateLimited),
    summary="按会员号或条件列出会员",
)
async def list_members(caller: StaffCaller, query: schemas.MemberQuery) -> schemas.AdminMemberList:
    """Members by member number, or by what is common to them; a store's staff find that store's members.

    A phone number is refused here: proxies, gateways and browsers keep addresses. ``POST …/search`` takes it, and names
    and attributes.
    """
    if query.query is not None and rules.looks_like_phone(query.query):
        raise PhoneInAddress
    return await _search(caller, query, "/query")


@router.post(
    "/v1/admin/members/search",
    guard=staff(Permission.MEMBERS_READ),
    errors=(RateLimited,),
    summary="按手机号、会员号或条件查找会员",
)
async def search_members(caller: StaffCaller, body: schemas.MemberSearch) -> schemas.AdminMemberList:
    """Members by whole phone number or member number, or by conditions that must all hold, newest first.

    Who misses a number more than 20 times within ten minutes, here or by look-ups of contacts, finds nobody for a
    while. A store's staff find that store's members, by the attributes that they see.
    """
    return await _search(caller, body, "")


async def _search(caller: StaffCaller, said: schemas.MemberQuery, where: str) -> schemas.AdminMemberList:
    wanted = finding.filter_of(said)
    if said.query is not None:
        return await _by_number(caller, said.query, finding.only_status(wanted, where))
    page = await finding.find(caller, wanted, cursor=said.cursor, limit=said.limit, where=where)
    log.info("members.searched", staff_id=caller.staff_id, found=len(page.items))
    return schemas.AdminMemberList(
        items=[await views.admin_view(item, caller) for item in page.items],
        next_cursor=place_cursor(*page.next) if page.next else None,
    )


async def _by_number(caller: StaffCaller, text: str, status: Status | None) -> schemas.AdminMemberList:
    guessing.check(caller.staff_id)
    found = await queries.search_members(text, status, store_id=caller.store_id)
    log.info("members.searched", staff_id=caller.staff_id, found=len(found))
    if not found:
        await guessing.miss(caller.staff_id, "phone" if rules.looks_like_phone(text) else "member_no")
    return schemas.AdminMemberList(items=[await views.admin_view(item, caller) for item in found])


@router.get("/v1/admin/members/{member_id}", guard=staff(Permission.MEMBERS_READ), summary="会员详情")
async def get_member(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """One member; another store's is not found."""
    found = await standing.get_for_staff(caller, member_id)
    log.info("members.viewed", staff_id=caller.staff_id, member_id=found.id)
    return await views.admin_view(found, caller)


@router.post(
    "/v1/admin/members/{member_id}/approve",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="通过注册",
)
async def approve(caller: StaffCaller, member_id: str, body: schemas.Why | None) -> schemas.AdminMember:
    """Make a waiting member active."""
    return await views.admin_view(await standing.move_member(caller, member_id, "approve", _why(body)), caller)


@router.post(
    "/v1/admin/members/{member_id}/reject",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="拒绝注册",
)
async def reject(caller: StaffCaller, member_id: str, body: schemas.Why | None) -> schemas.AdminMember:
    """Refuse a waiting member, who may register again."""
    return await views.admin_view(await standing.move_member(caller, member_id, "reject", _why(body)), caller)


@router.post(
    "/v1/admin/members/{member_id}/freeze",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="冻结会员",
)
async def freeze(caller: StaffCaller, member_id: str, body: schemas.Why | None) -> schemas.AdminMember:
    """Shut a member out: no code, no wallet, no sale, until unfrozen."""
    return await views.admin_view(await standing.move_member(caller, member_id, "freeze", _why(body)), caller)


@router.post(
    "/v1/admin/members/{member_id}/unfreeze",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="解冻会员",
)
async def unfreeze(caller: StaffCaller, member_id: str, body: schemas.Why | None) -> schemas.AdminMember:
    """Let a frozen member in again."""
    return await views.admin_view(await standing.move_member(caller, member_id, "unfreeze", _why(body)), caller)


def _why(body: schemas.Why | None) -> str | None:
    return body.reason if body else None


@router.get(
    "/v1/admin/members/{member_id}/changes",
    guard=staff(Permission.MEMBERS_HISTORY),
    errors=(ValidationFailed,),
    summary="会员资料变更记录",
)
async def list_changes(caller: StaffCaller, member_id: str, query: schemas.ChangesQuery) -> schemas.MemberChangeList:
    """What was changed about a member, newest first: who, when, before, after; less of what the caller may not see."""
    place = rules.read_change_place(query.cursor)
    member = await standing.get_for_staff(caller, member_id)
    found = await queries.list_changes(member.id, before=place, limit=query.limit + 1)
    page = found[: query.limit]
    log.info("members.changes_viewed", staff_id=caller.staff_id, member_id=member.id)
    return schemas.MemberChangeList(
        items=await views.changes_view(page, caller),
        next_cursor=make_cursor(str(page[-1].id)) if len(found) > query.limit else None,
    )


@router.patch(
    "/v1/admin/members/{member_id}",
    guard=staff(Permission.MEMBERS_EDIT),
    errors=(NotFound, VersionConflict, PhoneTaken, StatusConflict),
    summary="修改会员资料",
)
async def edit_member(caller: StaffCaller, member_id: str, body: schemas.EditMember) -> schemas.AdminMember:
    """Change a member's profile, from the version that was read, and say why; another's change meanwhile is 409.

    A phone number needs ``members.phone`` besides; attributes go by who may edit each of them.
    """
    return await views.admin_view(await profile.edit_member(caller, member_id, body), caller)
