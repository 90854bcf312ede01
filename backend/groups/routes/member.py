"""A member's own group."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import Forbidden, NotFound
from backend.kernel.http import Router

from .. import queries, views
from ..commands import people
from ..errors import GroupConflict, GroupFull, GroupOwner, InAGroup, InvitationInvalid
from ..schemas import ChangeRole, InvitationOut, InviteIn, JoinIn, MyGroupAnswer

router = Router(tag="member")

_GROUP = "/v1/member/group"
_PERSON = f"{_GROUP}/members/{{person_id}}"


@router.get(_GROUP, guard=member, summary="我的团体")
async def get_group(caller: MemberCaller) -> MyGroupAnswer:
    """The caller's group and what it lends; its owner and managers also see its people."""
    mine = await queries.find_belonging(caller.member_id)
    return MyGroupAnswer(await views.my_group(mine) if mine else None)


@router.post(
    f"{_GROUP}/join",
    guard=member,
    summary="凭邀请码加入团体",
    errors=(InvitationInvalid, InAGroup, GroupFull, GroupConflict),
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
