"""What holds for log-ins, devices of staff, and where a member is logged in."""

from __future__ import annotations

from backend.auth import commands, queries
from backend.auth.control import Control
from backend.auth.errors import BeyondOneself, ControlChanged, SecondFactorMissing
from backend.auth.guards import registered, staff
from backend.auth.schemas import control as schemas
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

router = Router(tag="auth")

_MANAGE = staff(Permission.STAFF_MANAGE)
_CONTROL = "/v1/admin/login-control"
_DEVICES = "/v1/admin/staff-devices"
_DEVICE = f"{_DEVICES}/{{staff_device_id}}"


@router.get(_CONTROL, guard=_MANAGE, summary="登录管控设置")
async def get_control(caller: StaffCaller) -> schemas.ControlOut:
    """What holds for log-ins."""
    return await _shown(await queries.read_control())


@router.put(
    _CONTROL, guard=_MANAGE, errors=(ValidationFailed, ControlChanged, SecondFactorMissing), summary="设定登录管控"
)
async def put_control(caller: StaffCaller, body: schemas.ControlIn) -> schemas.ControlOut:
    """Set hours, known devices, tries, and how many sessions and phones a member has at once; within seconds."""
    control = Control(**{name: getattr(body, name) for name in Control.__struct_fields__})
    return await _shown(await commands.control.set_control(control, body.version, caller))


async def _shown(found: queries.ControlSet) -> schemas.ControlOut:
    names = await queries.staff_names([found.staff_id] if found.staff_id else [])
    fields = {name: getattr(found.control, name) for name in Control.__struct_fields__}
    name = names.get(found.staff_id) if found.staff_id else None
    return schemas.ControlOut(version=found.version, staff_name=name, at=found.at, **fields)


@router.get(_DEVICES, guard=_MANAGE, summary="员工登录设备")
async def list_devices(caller: StaffCaller, query: schemas.DevicesQuery) -> schemas.StaffDevicesOut:
    """Devices that staff logged in from or wait with, last seen first."""
    staff_id = ids.read_bigint(query.staff_id) if query.staff_id else None
    return _devices(await queries.list_staff_devices(staff_id, query.state))


@router.post(f"{_DEVICE}/approve", guard=_MANAGE, errors=(NotFound, BeyondOneself), summary="允许员工设备")
async def approve(caller: StaffCaller, staff_device_id: str) -> schemas.StaffDeviceOut:
    """Let somebody else log in from a device that waits."""
    return _device(await commands.control.approve_device(_id(staff_device_id), caller))


@router.delete(_DEVICE, guard=_MANAGE, status=204, errors=(NotFound, BeyondOneself), summary="移除员工设备")
async def revoke(caller: StaffCaller, staff_device_id: str) -> None:
    """Forget a device, and end its sessions."""
    await commands.control.revoke_device(_id(staff_device_id), caller)


@router.get("/v1/admin/me/devices", guard=staff(), summary="我的登录设备")
async def list_own(caller: StaffCaller) -> schemas.StaffDevicesOut:
    """One's own devices."""
    return _devices(await queries.list_staff_devices(caller.staff_id))


@router.delete(
    "/v1/admin/me/devices/{staff_device_id}", guard=staff(), status=204, errors=(NotFound,), summary="移除我的登录设备"
)
async def revoke_own(caller: StaffCaller, staff_device_id: str) -> None:
    """Forget one of one's own devices, and end its sessions."""
    await commands.control.revoke_device(_id(staff_device_id), caller, own=True)


@router.get("/v1/member/sessions", guard=registered, summary="已登录的手机")
async def list_sessions(caller: MemberCaller) -> schemas.MemberSessionsOut:
    """Where the member is logged in."""
    found = await queries.list_member_sessions(caller.member_id)
    return schemas.MemberSessionsOut(
        [
            schemas.MemberSessionOut(
                str(one.id), one.agent, one.created_at, one.refreshed_at, one.id == caller.session_id
            )
            for one in found
        ]
    )


@router.delete(
    "/v1/member/sessions/{session_id}", guard=registered, status=204, errors=(NotFound,), summary="退出该手机"
)
async def end_session(caller: MemberCaller, session_id: str) -> None:
    """End one of one's own sessions; it may be this one."""
    await commands.control.end_member_session(_id(session_id), caller)


def _id(text: str) -> int:
    row_id = ids.read_bigint(text)
    if row_id is None:
        raise NotFound
    return row_id


def _devices(found: list[queries.StaffDevice]) -> schemas.StaffDevicesOut:
    return schemas.StaffDevicesOut([_device(one) for one in found])


def _device(one: queries.StaffDevice) -> schemas.StaffDeviceOut:
    return schemas.StaffDeviceOut(
        str(one.id),
        str(one.staff_id),
        one.username,
        one.store_id,
        one.agent,
        one.address,
        one.state,
        one.created_at,
        one.seen_at,
        one.decided_at,
    )
