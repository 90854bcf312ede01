"""The calls of a member's own phone (profile, PIN, devices, live events), and staff's calls about members and levels.

New tokens and logging out stand in ``backend.auth``; codes and confirmations in ``backend.pos``.
"""

from __future__ import annotations

from starlette.websockets import WebSocket

from backend.auth import queries as auth_queries
from backend.auth.errors import TooManyDevices
from backend.auth.guards import member, registered, session, staff
from backend.auth.types import DeviceSecret, MemberCaller, Permission, SessionCaller, StaffCaller
from backend.kernel import clock, guessing, limits, logging
from backend.kernel.errors import RateLimited, invalid
from backend.kernel.http import Router, public
from backend.wechat.errors import JsCodeInvalid, PhoneCodeInvalid

from . import commands, live_socket, queries, rules, schemas
from .errors import (
    AlreadyRegistered,
    LevelExists,
    PhoneInAddress,
    PhoneTaken,
    PinInvalid,
    PinLocked,
    PinRequired,
    StatusConflict,
)
from .types import Level, Member, Status

log = logging.get(__name__)

router = Router(tag="member")


# How a phone makes codes from its secret; the digits are those of the one-time part.
CODE_ALGORITHM = "HMAC-SHA256"
CODE_STEP_S = 15
CODE_DIGITS = 8

REGISTRATIONS_PER_HOUR = 20
ROTATIONS_PER_HOUR = 60
ENROLMENTS_PER_HOUR = 150


@router.post("/v1/member/login", guard=public, errors=(JsCodeInvalid,), summary="微信登录")
async def login(body: schemas.LoginBody) -> schemas.LoginAnswer:
    """Begin a session of the WeChat user.

    No limit of its own beyond the address's: a shop's guests share one address, and WeChat's codes cannot be guessed.
    """
    opened = await commands.login(body.js_code)
    found = await queries.find_member(opened.member_id) if opened.member_id is not None else None
    return schemas.LoginAnswer(
        access_token=opened.access_token,
        refresh_token=opened.refresh_token,
        expires_in=opened.expires_in,
        registration=opened.standing.value,
        member=await _view(found) if found else None,
    )


@router.post(
    "/v1/member/register",
    guard=session,
    status=201,
    errors=(AlreadyRegistered, PhoneTaken, PhoneCodeInvalid),
    summary="注册会员",
)
async def register(caller: SessionCaller, body: schemas.Register) -> schemas.MemberView:
    """Make the logged-in user a member; the same token acts for the member from now on."""
    await limits.hit(f"register:{caller.identity_id}", REGISTRATIONS_PER_HOUR, 3600)
    return await _view(await commands.register(caller, body))


@router.get("/v1/member/profile", guard=registered, summary="会员资料")
async def get_profile(caller: MemberCaller) -> schemas.MemberView:
    """The caller's own profile; also while the registration waits or the membership is frozen."""
    return await _view(await queries.get_member(caller.member_id))


@router.patch("/v1/member/profile", guard=member, summary="修改会员资料")
async def change_profile(caller: MemberCaller, body: schemas.ChangeProfile) -> schemas.MemberView:
    """Change the fields that are sent."""
    return await _view(await commands.change_profile(caller.member_id, body))


@router.post("/v1/member/profile", guard=member, summary="修改会员资料（小程序不能发 PATCH）")
async def post_profile(caller: MemberCaller, body: schemas.ChangeProfile) -> schemas.MemberView:
    """The same as PATCH."""
    return await _view(await commands.change_profile(caller.member_id, body))


@router.put(
    "/v1/member/pin",
    guard=member,
    status=204,
    errors=(PinRequired, PinInvalid, PinLocked, PhoneCodeInvalid),
    summary="设置支付密码",
)
async def put_pin(caller: MemberCaller, body: schemas.PutPin) -> None:
    """Set the payment PIN; replacing one needs the current one or a fresh phone code."""
    await limits.hit(f"pin:{caller.member_id}", REGISTRATIONS_PER_HOUR, 3600)
    await commands.put_pin(caller.member_id, body)


@router.post("/v1/member/devices", guard=member, status=201, errors=(TooManyDevices,), summary="登记离线动态码设备")
async def create_device(caller: MemberCaller, body: schemas.CreateDevice) -> schemas.DeviceCreated:
    """Enrol this phone for codes without a network; the secret is shown this once."""
    await limits.hit(f"enrol:{caller.member_id}", ENROLMENTS_PER_HOUR, 3600)
    device = await commands.create_device(caller, body.name)
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
    await commands.revoke_device(caller.member_id, device_id)


@router.post("/v1/member/devices/{device_id}/rotate", guard=member, summary="更换设备代号")
async def rotate_device(caller: MemberCaller, device_id: str) -> schemas.DeviceRotated:
    """A new handle with the same secret and last step; the one before is good for 60 s more."""
    await limits.hit(f"rotate:{caller.member_id}", ROTATIONS_PER_HOUR, 3600)
    device: DeviceSecret = await commands.rotate_device(caller.member_id, device_id)
    return schemas.DeviceRotated(device_id=str(device.id), handle=device.handle, server_time=clock.now())


@router.websocket("/v1/member/live", guard=member, subprotocol="huiyuan.v1", summary="会员实时消息")
async def live(websocket: WebSocket, caller: MemberCaller) -> None:
    """Events as they happen; closes with 4401 when the session or the token ends."""
    await live_socket.serve(websocket, caller)


@router.get(
    "/v1/admin/members",
    guard=staff(Permission.MEMBERS_READ),
    errors=(PhoneInAddress, RateLimited),
    summary="按会员号或状态列出会员",
)
async def list_members(caller: StaffCaller, query: schemas.MemberQuery) -> schemas.AdminMemberList:
    """Members by member number or by status; a store's staff find that store's members.

    A phone number is refused here: proxies, gateways and browsers keep addresses. ``POST …/search`` takes it.
    """
    if query.query is None and query.status is None:
        raise invalid("/query/query", "give a member number or a status")
    if query.query is not None and rules.looks_like_phone(query.query):
        raise PhoneInAddress
    return await _search(caller, query.query, query.status)


@router.post(
    "/v1/admin/members/search",
    guard=staff(Permission.MEMBERS_READ),
    errors=(RateLimited,),
    summary="按手机号或会员号查找会员",
)
async def search_members(caller: StaffCaller, body: schemas.MemberSearch) -> schemas.AdminMemberList:
    """Members by whole phone number or member number; a store's staff find that store's members.

    Who misses more than 20 times within ten minutes, here or by look-ups of contacts, finds nobody for a while.
    """
    return await _search(caller, body.query, body.status)


async def _search(caller: StaffCaller, text: str | None, status: Status | None) -> schemas.AdminMemberList:
    if text is not None:
        guessing.check(caller.staff_id)
    found = await queries.search_members(text, status, store_id=caller.store_id)
    log.info("members.searched", staff_id=caller.staff_id, found=len(found))
    if text is not None and not found:
        await guessing.miss(caller.staff_id, "phone" if rules.looks_like_phone(text) else "member_no")
    return schemas.AdminMemberList(items=[_admin_view(item) for item in found])


@router.get("/v1/admin/members/{member_id}", guard=staff(Permission.MEMBERS_READ), summary="会员详情")
async def get_member(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """One member; another store's is not found."""
    found = await commands.get_for_staff(caller, member_id)
    log.info("members.viewed", staff_id=caller.staff_id, member_id=found.id)
    return _admin_view(found)


@router.post(
    "/v1/admin/members/{member_id}/approve",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="通过注册",
)
async def approve(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """Make a waiting member active."""
    return _admin_view(await commands.move_member(caller, member_id, "approve"))


@router.post(
    "/v1/admin/members/{member_id}/reject",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="拒绝注册",
)
async def reject(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """Refuse a waiting member, who may register again."""
    return _admin_view(await commands.move_member(caller, member_id, "reject"))


@router.post(
    "/v1/admin/members/{member_id}/freeze",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="冻结会员",
)
async def freeze(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """Shut a member out: no code, no wallet, no sale, until unfrozen."""
    return _admin_view(await commands.move_member(caller, member_id, "freeze"))


@router.post(
    "/v1/admin/members/{member_id}/unfreeze",
    guard=staff(Permission.MEMBERS_DECIDE),
    errors=(StatusConflict,),
    summary="解冻会员",
)
async def unfreeze(caller: StaffCaller, member_id: str) -> schemas.AdminMember:
    """Let a frozen member in again."""
    return _admin_view(await commands.move_member(caller, member_id, "unfreeze"))


@router.get("/v1/admin/levels", guard=staff(Permission.MEMBERS_READ), summary="会员等级")
async def list_levels() -> schemas.LevelList:
    """Every level, lowest first."""
    return schemas.LevelList(items=await queries.list_levels())


@router.post(
    "/v1/admin/levels", guard=staff(Permission.LEVELS_WRITE), status=201, errors=(LevelExists,), summary="新增等级"
)
async def create_level(body: schemas.CreateLevel) -> Level:
    """Add a level."""
    await commands.create_level(body.code, body)
    return await queries.get_level(body.code)


@router.put("/v1/admin/levels/{code}", guard=staff(Permission.LEVELS_WRITE), errors=(LevelExists,), summary="修改等级")
async def change_level(code: schemas.LevelCode, body: schemas.LevelBody) -> Level:
    """Replace a level's terms."""
    await commands.change_level(code, body)
    return await queries.get_level(code)


async def _view(found: Member) -> schemas.MemberView:
    return schemas.MemberView(
        id=str(found.id),
        member_no=found.member_no,
        name=found.name,
        phone_masked=found.phone_masked,
        birthday=found.birthday,
        gender=found.gender,
        level=_level(found.level, await _next_level(found)),
        status=found.status,
        attributes=found.attributes,
        pin_set=found.pin_set,
    )


def _admin_view(found: Member) -> schemas.AdminMember:
    return schemas.AdminMember(
        id=str(found.id),
        member_no=found.member_no,
        name=found.name,
        phone_masked=found.phone_masked,
        birthday=found.birthday,
        gender=found.gender,
        level=_level(found.level),
        status=found.status,
        attributes=found.attributes,
        store_id=found.store_id,
        growth_fen=found.growth_fen,
        created_at=found.created_at,
    )


def _level(level: Level, following: schemas.NextLevel | None = None) -> schemas.LevelView:
    return schemas.LevelView(code=level.code, name=level.name, discount_bp=level.discount_bp, next=following)


async def _next_level(found: Member) -> schemas.NextLevel | None:
    above = [
        level for level in (await queries.levels()).values() if level.growth_from_fen > found.level.growth_from_fen
    ]
    if not above or above[0].ruled:  # then `GET /v1/member/level` says how far it is
        return None
    start, goal = found.level.growth_from_fen, above[0].growth_from_fen
    progress = (found.growth_fen - start) * 10_000 // (goal - start)
    return schemas.NextLevel(above[0].name, max(0, goal - found.growth_fen), min(10_000, max(0, progress)))
