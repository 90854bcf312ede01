"""People with a login."""

from __future__ import annotations

import pyotp

from backend.auth import commands, queries, schemas
from backend.auth.errors import AlreadyExists
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.http import Router

router = Router(tag="staff")


@router.get("/v1/admin/staff", guard=staff(Permission.STAFF_READ), summary="员工列表")
async def list_staff(caller: StaffCaller) -> schemas.StaffList:
    """Everybody with a login; for somebody of a store those of that store."""
    return schemas.StaffList(items=[one for one in await queries.list_staff() if caller.reaches(one.store_id)])


@router.post(
    "/v1/admin/staff", guard=staff(Permission.STAFF_MANAGE), status=201, errors=(AlreadyExists,), summary="新增员工"
)
async def create_staff(body: schemas.CreateStaff) -> schemas.StaffCreated:
    """Add a login; a second factor's secret is shown this once."""
    secret = pyotp.random_base32() if body.totp else None
    made = await commands.create_staff(body.username, body.password, body.role, body.store_id, secret)
    return schemas.StaffCreated(staff=made, totp_secret=secret)


@router.post("/v1/admin/staff/{staff_id}/close", guard=staff(Permission.STAFF_MANAGE), status=204, summary="停用员工")
async def close_staff(staff_id: str) -> None:
    """Take a login away; its sessions end at once."""
    await commands.close_staff(staff_id)
