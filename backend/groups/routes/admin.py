"""Staff's calls about groups and key accounts."""

from __future__ import annotations

import asyncio

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets, windows
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Reply, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, MemberInactive, Stale
from backend.members.errors import StatusConflict

from .. import queries, views
from ..commands import allotting, groups, keys, people, spending, taking_back
from ..errors import (
    AllotmentLimit,
    AllotmentOver,
    AllotmentTooMuch,
    GroupConflict,
    GroupFull,
    GroupOwner,
    InAGroup,
    NumberTaken,
)
from ..schemas import (
    AddMember,
    AllotIn,
    AllotmentOut,
    AllotmentsOut,
    AllotmentsQuery,
    ChangeGroup,
    ChangeRole,
    GroupIn,
    GroupOut,
    GroupsOut,
    GroupsQuery,
    KeyAccountIn,
    KeyAccountOut,
    KeyAccountsOut,
    PageQuery,
    StatementFileQuery,
    StatementOut,
    StatementQuery,
    SubMemberOut,
    SubMembersOut,
    TakeBackIn,
)

router = Router(tag="groups")

_READ = staff(Permission.GROUPS_READ)
_MANAGE = staff(Permission.GROUPS_MANAGE)
_GROUPS = "/v1/admin/groups"
_GROUP = f"{_GROUPS}/{{group_id}}"
_PERSON = f"{_GROUP}/members/{{person_id}}"
_KEY = "/v1/admin/members/{member_id}/key-account"
MOST_DAYS = 1_100
LAST = 100
HEADING = ("会员号", "姓名", "笔数", "消费(分)", "退款(分)", "净额(分)")


@router.get(_GROUPS, guard=_READ, summary="团体", errors=(ValidationFailed,))
async def list_groups(caller: StaffCaller, query: GroupsQuery) -> GroupsOut:
    """Groups, newest first; a store's staff see their store's."""
    after = read_place(query.cursor)
    found = await queries.list_groups(caller.store_id, query.state, query.number, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return GroupsOut(await views.groups(page), following)


@router.post(_GROUPS, guard=_MANAGE, status=201, summary="新建团体", errors=(ValidationFailed, NumberTaken))
async def create_group(caller: StaffCaller, body: GroupIn) -> GroupOut:
    """Make a group; its number is what it is known by."""
    return await views.group(await groups.create_group(body, caller))


@router.get(_GROUP, guard=_READ, summary="团体详情", errors=(NotFound,))
async def get_group(caller: StaffCaller, group_id: str) -> GroupOut:
    """One group."""
    return await views.group(await groups.get_group(group_id, caller))


@router.put(_GROUP, guard=_MANAGE, summary="修改团体", errors=(NotFound, ValidationFailed, GroupConflict, NumberTaken))
async def change_group(caller: StaffCaller, group_id: str, body: ChangeGroup) -> GroupOut:
    """Agree other terms; its people have them at once."""
    return await views.group(await groups.change_group(group_id, body, caller))


@router.post(f"{_GROUP}/close", guard=_MANAGE, summary="停用团体", errors=(NotFound, GroupConflict))
async def close(caller: StaffCaller, group_id: str) -> GroupOut:
    """Let the group lend nothing, and nobody join; its people are back at their own levels."""
    return await views.group(await groups.set_state(group_id, "closed", caller))


@router.post(f"{_GROUP}/reopen", guard=_MANAGE, summary="恢复团体", errors=(NotFound, GroupConflict))
async def reopen(caller: StaffCaller, group_id: str) -> GroupOut:
    """Let it lend again what was agreed."""
    return await views.group(await groups.set_state(group_id, "open", caller))


@router.get(f"{_GROUP}/changes", guard=_READ, summary="团体变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, group_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await groups.get_group(group_id, caller)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(f"{_GROUP}/members", guard=_READ, summary="团体成员", errors=(NotFound, ValidationFailed))
async def list_people(caller: StaffCaller, group_id: str, query: PageQuery) -> SubMembersOut:
    """Who belongs to the group, and who did, in the order of joining."""
    found = await groups.get_group(group_id, caller)
    shown = await queries.list_people(found.id, after=read_place(query.cursor), limit=query.limit + 1, gone=True)
    page = shown[: query.limit]
    following = place_cursor(page[-1].joined_at, page[-1].id) if len(shown) > query.limit else None
    return SubMembersOut(await views.people(page, for_staff=True), following)


@router.post(
    f"{_GROUP}/members",
    guard=_MANAGE,
    status=201,
    summary="加入成员",
    errors=(NotFound, ValidationFailed, StatusConflict, GroupConflict, GroupFull, GroupOwner, InAGroup),
)
async def add_member(caller: StaffCaller, group_id: str, body: AddMember) -> SubMemberOut:
    """Let a member belong to the group; they have at once what it lends."""
    (shown,) = await views.people([await people.add_member(group_id, body, caller)], for_staff=True)
    return shown


@router.put(
    f"{_PERSON}/role", guard=_MANAGE, summary="调整成员角色", errors=(NotFound, ValidationFailed, GroupConflict)
)
async def change_role(caller: StaffCaller, group_id: str, person_id: str, body: ChangeRole) -> SubMemberOut:
    """Make somebody something else; a new owner takes the place of the one before, who becomes a manager."""
    (shown,) = await views.people([await people.change_role(group_id, person_id, body.role, caller)], for_staff=True)
    return shown


@router.post(f"{_PERSON}/remove", guard=_MANAGE, status=204, summary="移出成员", errors=(NotFound,))
async def remove(caller: StaffCaller, group_id: str, person_id: str) -> None:
    """Let somebody no longer belong to it; they are back at their own level."""
    await people.remove_member(group_id, person_id, caller)


async def _statement(caller: StaffCaller, group_id: str, query: StatementQuery) -> StatementOut:
    found = await groups.get_group(group_id, caller)
    windows.check_days(query.from_on, query.to_on, most=MOST_DAYS)
    return await views.statement(await spending.list_statement(found.id, query.from_on, query.to_on))


@router.get(f"{_GROUP}/statement", guard=_READ, summary="团体对账单", errors=(NotFound, ValidationFailed))
async def get_statement(caller: StaffCaller, group_id: str, query: StatementQuery) -> StatementOut:
    """What each sub-member bought on these days while they belonged to it, less what came back since."""
    return await _statement(caller, group_id, query)


@router.get(f"{_GROUP}/statement/file", guard=_READ, summary="团体对账单导出", errors=(NotFound, ValidationFailed))
async def get_statement_file(caller: StaffCaller, group_id: str, query: StatementFileQuery) -> Reply:
    """The same as CSV or XLSX, amounts in fen."""
    found = await _statement(caller, group_id, query)
    rows: list[list[sheets.Cell]] = [
        [one.member_no, one.name_masked, one.purchases, one.spent_fen, one.back_fen, one.net_fen]
        for one in (*found.items, found.total)
    ]
    body = await asyncio.to_thread(sheets.write, query.format, "group", HEADING, rows)
    file = f"group-{query.from_on}-{query.to_on}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


@router.get("/v1/admin/key-accounts", guard=_READ, summary="大客户", errors=(ValidationFailed,))
async def list_key_accounts(caller: StaffCaller, query: PageQuery) -> KeyAccountsOut:
    """Key accounts, newest first; a store's staff see their store's members."""
    found = await queries.list_key_accounts(caller.store_id, after=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].since, str(page[-1].member_id)) if len(found) > query.limit else None
    return KeyAccountsOut(await views.keys(page), following)


@router.get(_KEY, guard=_READ, summary="大客户约定", errors=(NotFound,))
async def get_key_account(caller: StaffCaller, member_id: str) -> KeyAccountOut:
    """What is agreed with a member."""
    (shown,) = await views.keys([await keys.get_key_account(caller, member_id)])
    return shown


@router.put(_KEY, guard=_MANAGE, summary="设为大客户", errors=(NotFound, ValidationFailed, StatusConflict))
async def put_key_account(caller: StaffCaller, member_id: str, body: KeyAccountIn) -> KeyAccountOut:
    """Agree with a member who looks after them, a least discount, and whether the level is held as it is."""
    (shown,) = await views.keys([await keys.put_key_account(caller, member_id, body)])
    return shown


@router.post(f"{_KEY}/end", guard=_MANAGE, status=204, summary="取消大客户", errors=(NotFound,))
async def end_key_account(caller: StaffCaller, member_id: str) -> None:
    """End the agreement."""
    await keys.end_key_account(caller, member_id)


@router.get(f"{_KEY}/changes", guard=_READ, summary="大客户变更记录", errors=(NotFound,))
async def list_key_changes(caller: StaffCaller, member_id: str) -> ChangesOut:
    """Who of the staff agreed what with the member."""
    found = await keys.reached_member(caller, member_id)
    return changes_out(await queries.changes.list_of(str(found.id), LAST))


_ALLOTMENTS = f"{_GROUP}/allotments"
_ALLOT_REFUSALS = (
    NotFound,
    ValidationFailed,
    IdempotencyConflict,
    InsufficientBalance,
    MemberInactive,
    Stale,
    AllotmentLimit,
    AllotmentOver,
    AllotmentTooMuch,
)


@router.get(_ALLOTMENTS, guard=_READ, summary="团体分配记录", errors=(NotFound, ValidationFailed))
async def list_allotments(caller: StaffCaller, group_id: str, query: AllotmentsQuery) -> AllotmentsOut:
    """What the group's owner, or staff for the owner, allotted to its people, newest first."""
    await groups.get_group(group_id, caller)
    found = await allotting.list_of_group(group_id, before=read_place(query.cursor), limit=query.limit + 1)
    return await views.allotments(found, query.limit)


@router.post(
    _ALLOTMENTS,
    guard=_MANAGE,
    status=201,
    idempotent=True,
    summary="代团体分配储值或积分",
    errors=_ALLOT_REFUSALS,
)
async def allot(caller: StaffCaller, group_id: str, body: AllotIn, idem: Idempotency) -> Answer[AllotmentOut]:
    """Allot stored value or points of the owner's to somebody of the group; once per key."""
    made = await allotting.as_staff(group_id, body, caller, idem)
    return Answer(await views.allotment(made.value), replayed=made.replayed)


@router.post(
    f"{_ALLOTMENTS}/{{allotment_id}}/take-back",
    guard=_MANAGE,
    idempotent=True,
    summary="收回未用的分配",
    errors=_ALLOT_REFUSALS,
)
async def take_back(
    caller: StaffCaller, group_id: str, allotment_id: str, body: TakeBackIn, idem: Idempotency
) -> Answer[AllotmentOut]:
    """Take back what is not spent of an allotment, or so much; once per key."""
    done = await taking_back.as_staff(group_id, allotment_id, body.amount, caller, idem)
    return Answer(await views.allotment(done.value), replayed=done.replayed)
