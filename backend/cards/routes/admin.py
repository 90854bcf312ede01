"""Which member a person of the staff is: whoever may authorise at a till carries that as a card."""

from __future__ import annotations

from backend.auth.errors import AlreadyExists, BeyondOneself
from backend.auth.guards import staff
from backend.auth.types import Permission, Staff, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from ..commands import link_staff
from ..schemas import LinkIn

router = Router(tag="cards")


@router.put(
    "/v1/admin/staff/{staff_id}/member",
    guard=staff(Permission.STAFF_MANAGE),
    summary="绑定员工的会员身份",
    errors=(NotFound, BeyondOneself, ValidationFailed, AlreadyExists),
)
async def put_member(caller: StaffCaller, staff_id: str, body: LinkIn) -> Staff:
    """Say which member somebody with a login is, or (null) that they are none; a member is one person."""
    return await link_staff(staff_id, body.member_id, caller)
