"""A member's own group."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import Forbidden, NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, MemberInactive, Stale
from backend.members.errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired, StatusConflict

from .. import queries, views
from ..commands import allotting, people, taking_back
from ..errors import (
    AllotmentLimit,
    AllotmentOver,
    AllotmentTooMuch,
    GroupConflict,
    GroupFull,
    GroupOwner,
    InAGroup,
    InvitationInvalid,
)
from ..schemas import (
    AllotmentOut,
    AllotmentsOut,
    AllotmentsQuery,
    AllotWithPin,
    ChangeRole,
    InvitationOut,
    InviteIn,
    JoinIn,
    MyGroupAnswer,
    PageQuery,
    SubMembersOut,
    TakeBackIn,
)
from ..types import GroupRole

router = Router(tag="member")

_GROUP = "/v1/member/group"
_PERSON = f"{_GROUP}/members/{{person_id}}"


@router.get(_GROUP, guard=member, summary="我的团体")
async def get_group(caller: MemberCaller) -> MyGroupAnswer:
    """The caller's group and what it lends; its owner and managers also see its people."""
    mine = await queries.find_belonging(caller.member_id)
    return MyGroupAnswer(await views.my_group(mine) if mine else None)


@router.get(f"{_GROUP}/members", guard=member, summary="团体成员", errors=(NotFound, Forbidden, ValidationFailed))
async def list_people(caller: MemberCaller, query: PageQuery) -> SubMembersOut:
    """Who belongs to the caller's group, for its owner and managers, in the order of joining."""
    _, group = await people.mine(caller.member_id, GroupRole.OWNER, GroupRole.MANAGER)
    found = await queries.list_people(group.id, after=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].joined_at, page[-1].id) if len(found) > query.limit else None
    return SubMembersOut(await views.people(page, for_staff=False), following)


@router.post(
    f"{_GROUP}/join",
    guard=member,
    summary="凭邀请码加入团体",
    errors=(InvitationInvalid, InAGroup, GroupFull, GroupConflict, StatusConflict),
)
async def join(caller: MemberCaller, body: JoinIn) -> MyGroupAnswer:
    """Join the group that the invitation is to."""
    await people.join(caller.member_id, body.code)
    return await get_group(caller)


@router.post(f"{_GROUP}/leave", guard=member, status=204, summary="退出团体", errors=(NotFound, GroupOwner))
async def leave(caller: MemberCaller) -> None:
    """Leave the group, back to one's own level."""
    await people.leave(caller.member_id)


@router.post(
    f"{_GROUP}/invitations",
    guard=member,
    status=201,
    summary="邀请加入团体",
    errors=(NotFound, Forbidden, GroupConflict),
)
async def invite(caller: MemberCaller, body: InviteIn) -> InvitationOut:
    """Make an invitation, by the group's owner or a manager; its code is shown this once."""
    code, expires_at = await people.invite(caller.member_id, body)
    return InvitationOut(code, expires_at)


@router.delete(f"{_GROUP}/invitations", guard=member, status=204, summary="作废全部邀请", errors=(NotFound, Forbidden))
async def withdraw(caller: MemberCaller) -> None:
    """Let no invitation to the group be good any more."""
    await people.withdraw_invitations(caller.member_id)


@router.post(f"{_PERSON}/remove", guard=member, status=204, summary="请成员离开", errors=(NotFound, Forbidden))
async def dismiss(caller: MemberCaller, person_id: str) -> None:
    """Let somebody leave: the owner anybody, a manager those who are only members."""
    await people.dismiss(caller.member_id, person_id)


@router.put(
    f"{_PERSON}/role",
    guard=member,
    status=204,
    summary="任命成员",
    errors=(NotFound, Forbidden, GroupOwner, GroupConflict),
)
async def appoint(caller: MemberCaller, person_id: str, body: ChangeRole) -> None:
    """Make somebody manager or member, or hand the group over; only its owner may."""
    await people.appoint(caller.member_id, person_id, body.role)


_ALLOTMENTS = f"{_GROUP}/allotments"
_REFUSALS = (
    NotFound,
    Forbidden,
    ValidationFailed,
    IdempotencyConflict,
    InsufficientBalance,
    MemberInactive,
    Stale,
    AllotmentLimit,
    AllotmentOver,
    AllotmentTooMuch,
)


@router.get(_ALLOTMENTS, guard=member, summary="团体分配记录", errors=(NotFound, Forbidden, ValidationFailed))
async def list_allotments(caller: MemberCaller, query: AllotmentsQuery) -> AllotmentsOut:
    """What the group's owner allotted, newest first, and how much of it is not spent."""
    found = await allotting.list_mine(caller.member_id, before=read_place(query.cursor), limit=query.limit + 1)
    return await views.allotments(found, query.limit)


@router.post(
    _ALLOTMENTS,
    guard=member,
    status=201,
    idempotent=True,
    summary="分配储值或积分",
    errors=(*_REFUSALS, PinRequired, PinInvalid, PinLocked, PinResetRequired, PinAllowance),
)
async def allot(caller: MemberCaller, body: AllotWithPin, idem: Idempotency) -> Answer[AllotmentOut]:
    """Allot stored value or points of one's own to somebody of the group, by its owner with the payment PIN; once per
    key."""
    made = await allotting.as_principal(caller.member_id, body, body.pin, idem)
    return Answer(await views.allotment(made.value), replayed=made.replayed)


@router.post(
    f"{_ALLOTMENTS}/{{allotment_id}}/take-back",
    guard=member,
    idempotent=True,
    summary="收回未用的分配",
    errors=_REFUSALS,
)
async def take_back(
    caller: MemberCaller, allotment_id: str, body: TakeBackIn, idem: Idempotency
) -> Answer[AllotmentOut]:
    """Take back what is not spent of it, or so much; once per key."""
    done = await taking_back.as_principal(caller.member_id, allotment_id, body.amount, idem)
    return Answer(await views.allotment(done.value), replayed=done.replayed)
