"""The calls of a member's own phone: devices that make codes, live events."""

from __future__ import annotations

from starlette.websockets import WebSocket

from backend.auth import queries as auth_queries
from backend.auth.errors import TooManyDevices
from backend.auth.guards import member
from backend.auth.types import DeviceSecret, MemberCaller
from backend.kernel import clock, limits
from backend.kernel.http import Router

from .. import live_socket, schemas
from ..commands import phone

router = Router(tag="member")


# How a phone makes codes from its secret; the digits are those of the one-time part.
CODE_ALGORITHM = "HMAC-SHA256"
CODE_STEP_S = 15
CODE_DIGITS = 8
ROTATIONS_PER_HOUR = 60
ENROLMENTS_PER_HOUR = 150


@router.post("/v1/member/devices", guard=member, status=201, errors=(TooManyDevices,), summary="登记离线动态码设备")
async def create_device(caller: MemberCaller, body: schemas.CreateDevice) -> schemas.DeviceCreated:
    """Enrol this phone for codes without a network; the secret is shown this once."""
    await limits.hit(f"enrol:{caller.member_id}", ENROLMENTS_PER_HOUR, 3600)
    device = await phone.create_device(caller, body.name)
    return schemas.DeviceCreated(
        device_id=str(device.id),
        handle=device.handle,
        secret=device.encoded_secret,
        algorithm=CODE_ALGORITHM,
        step_s=CODE_STEP_S,
        digits=CODE_DIGITS,
        server_time=clock.now(),
    )


@router.get("/v1/member/devices", guard=member, summary="已登记的设备")
async def list_devices(caller: MemberCaller) -> schemas.DeviceList:
    """The enrolled phones that are not revoked."""
    now = clock.now()
    devices = await auth_queries.list_devices(caller.member_id)
    return schemas.DeviceList(
        items=[
            schemas.DeviceView(
                device_id=str(device.id),
                name=device.name,
                handle=device.handle,
                created_at=device.created_at,
                rotate=device.rotation_due(now),
            )
            for device in devices
        ]
    )


@router.delete("/v1/member/devices/{device_id}", guard=member, status=204, summary="撤销设备")
async def revoke_device(caller: MemberCaller, device_id: str) -> None:
    """End an enrolled phone; its codes are dead from now on."""
    await phone.revoke_device(caller.member_id, device_id)


@router.post("/v1/member/devices/{device_id}/rotate", guard=member, summary="更换设备代号")
async def rotate_device(caller: MemberCaller, device_id: str) -> schemas.DeviceRotated:
    """A new handle with the same secret and last step; the one before is good for 60 s more."""
    await limits.hit(f"rotate:{caller.member_id}", ROTATIONS_PER_HOUR, 3600)
    device: DeviceSecret = await phone.rotate_device(caller.member_id, device_id)
    return schemas.DeviceRotated(device_id=str(device.id), handle=device.handle, server_time=clock.now())


@router.websocket("/v1/member/live", guard=member, subprotocol="huiyuan.v1", summary="会员实时消息")
async def live(websocket: WebSocket, caller: MemberCaller) -> None:
    """Events as they happen; closes with 4401 when the session or the token ends."""
    await live_socket.serve(websocket, caller)
