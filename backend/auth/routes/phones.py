"""The phone of somebody of the staff, which speaks for them at a till."""

from __future__ import annotations

from backend.auth import commands, queries
from backend.auth.errors import AlreadyExists, BeyondOneself, LinkGone, LoginLocked, PasswordWrong
from backend.auth.guards import member, staff
from backend.auth.schemas import phones as schemas
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Router

router = Router(tag="my login")

_PHONE = "/v1/admin/me/phone"
_PROVING = (PasswordWrong, LoginLocked)


@router.get(_PHONE, guard=staff(), summary="我的手机")
async def get_phone(caller: StaffCaller) -> schemas.StaffPhoneOut:
    """Whether a phone is bound to one's login."""
    return schemas.StaffPhoneOut(await queries.phone_bound_at(caller.staff_id))


@router.post(_PHONE, guard=staff(), status=201, summary="绑定手机", errors=(*_PROVING, AlreadyExists))
async def begin(caller: StaffCaller, body: schemas.CurrentIn) -> schemas.PhoneTicketOut:
    """A ticket to be entered on one's own phone within ten minutes; then its member code speaks for this login."""
    return schemas.PhoneTicketOut(*await commands.phones.begin(caller, body.current))


@router.post(f"{_PHONE}/unbind", guard=staff(), status=204, summary="解绑我的手机", errors=(*_PROVING, NotFound))
async def unbind(caller: StaffCaller, body: schemas.CurrentIn) -> None:
    """Let one's phone speak for one no more."""
    await commands.phones.unbind(caller, body.current)


@router.delete(
    "/v1/admin/staff/{staff_id}/phone",
    guard=staff(Permission.STAFF_MANAGE),
    status=204,
    summary="解绑员工手机",
    errors=(NotFound, BeyondOneself),
)
async def unbind_other(caller: StaffCaller, staff_id: str) -> None:
    """Let somebody's phone speak for them no more: it was lost."""
    await commands.phones.unbind_other(staff_id, caller)


@router.get("/v1/member/staff-phone", guard=member, summary="绑定的员工账户")
async def whose(caller: MemberCaller) -> schemas.PhoneOwnerOut:
    """Which login of the staff this phone speaks for, if any."""
    return schemas.PhoneOwnerOut(await queries.find_phone_owner(caller.member_id))


@router.post(
    "/v1/member/staff-phone",
    guard=member,
    summary="绑定员工账户",
    errors=(LinkGone, AlreadyExists, RateLimited),
)
async def finish(caller: MemberCaller, body: schemas.PhoneTicketIn) -> schemas.PhoneBoundOut:
    """Bind this phone to the login whose ticket this is."""
    return schemas.PhoneBoundOut(await commands.phones.finish(body.ticket, caller))
