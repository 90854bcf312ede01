"""Tokens of members and staff, and the admin calls that keep shops, tills and logins.

A member's log-in and registration answer with a member, so they stand in ``backend.members``.
"""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

import pyotp

from backend.kernel import clock, limits
from backend.kernel.config import settings
from backend.kernel.errors import Unauthenticated, invalid
from backend.kernel.http import Request, Router, public

from . import commands, queries, schemas
from .errors import AlreadyExists, LoginLocked
from .guards import session, staff
from .types import Permission, SessionCaller, StaffCaller, Store, Terminal, Tokens

router = Router(tag="auth")


@router.post("/v1/member/token", guard=public, errors=(Unauthenticated,), summary="会员换取新令牌")
async def refresh_member(body: schemas.Refresh) -> Tokens:
    """Exchange a refresh token; the old one is dead, and its reuse ends the whole session."""
    return await commands.refresh_member(body.refresh_token)


@router.post("/v1/member/logout", guard=session, status=204, summary="会员退出")
async def logout_member(caller: SessionCaller, body: schemas.Logout | None) -> None:
    """End this session; with ``everywhere`` all sessions and devices of the member."""
    everywhere = body is not None and body.everywhere
    await commands.logout(caller.session_id, caller.identity_id, caller.member_id, everywhere=everywhere)


@router.post("/v1/admin/login", guard=public, errors=(Unauthenticated, LoginLocked), summary="员工登录")
async def login(body: schemas.StaffLogin, request: Request) -> Tokens:
    """Begin a staff session."""
    await limits.hit(f"login:{request.client}", settings().rate_login_per_minute)
    return await commands.login_staff(body.username, body.password, body.totp)


@router.post("/v1/admin/token", guard=public, errors=(Unauthenticated,), summary="员工换取新令牌")
async def refresh(body: schemas.Refresh) -> Tokens:
    """Exchange a refresh token; the old one is dead, and its reuse ends the session."""
    return await commands.refresh_staff(body.refresh_token)


@router.post("/v1/admin/logout", guard=staff(), status=204, summary="员工退出")
async def logout(caller: StaffCaller) -> None:
    """End this staff session."""
    await commands.logout_staff(caller.session_id)


@router.get("/v1/admin/me", guard=staff(), summary="当前员工")
async def me(caller: StaffCaller) -> schemas.Me:
    """Who is logged in."""
    person, role = await queries.get_staff(caller.staff_id), await queries.get_role(caller.role)
    return schemas.Me(
        staff=person,
        role=schemas.role_out(role),
        permissions=[one.value for one in Permission if caller.may(one)],
    )


@router.get("/v1/admin/stores", guard=staff(Permission.STORES_READ), summary="门店列表")
async def list_stores(caller: StaffCaller) -> schemas.StoreList:
    """The shops the caller may see: all, or the own one."""
    return schemas.StoreList(items=await queries.list_stores(only=caller.store_id))


@router.post(
    "/v1/admin/stores", guard=staff(Permission.STORES_WRITE), status=201, errors=(AlreadyExists,), summary="新增门店"
)
async def create_store(body: schemas.CreateStore) -> Store:
    """Add a shop."""
    try:
        clock.zone(body.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("/timezone", "is not an IANA time zone") from None
    store = Store(id=body.id, name=body.name, timezone=body.timezone, address=body.address)
    await commands.create_store(store)
    return store


@router.get("/v1/admin/terminals", guard=staff(Permission.TERMINALS_MANAGE), summary="收银终端列表")
async def list_terminals(caller: StaffCaller, query: schemas.TerminalQuery) -> schemas.TerminalList:
    """The tills of the shops the caller may see."""
    wanted = query.store_id or caller.store_id
    if not caller.reaches(wanted):
        return schemas.TerminalList(items=[])
    return schemas.TerminalList(items=[_view(item) for item in await queries.list_terminals(store_id=wanted)])


@router.post(
    "/v1/admin/terminals",
    guard=staff(Permission.TERMINALS_MANAGE),
    status=201,
    errors=(AlreadyExists,),
    summary="新增收银终端",
)
async def create_terminal(caller: StaffCaller, body: schemas.CreateTerminal) -> schemas.TerminalSecret:
    """Add a till; its secret is shown this once."""
    terminal_id, secret = await commands.create_terminal(caller, body.store_id, body.name, body.id)
    return schemas.TerminalSecret(id=terminal_id, store_id=body.store_id, secret=secret)


@router.post(
    "/v1/admin/terminals/{terminal_id}/rotate-secret", guard=staff(Permission.TERMINALS_MANAGE), summary="更换终端密钥"
)
async def rotate_secret(
    caller: StaffCaller, terminal_id: schemas.TerminalId, body: schemas.RotateSecret | None
) -> schemas.TerminalSecret:
    """Give a till a new secret, shown this once; the one before holds for ``overlap_s`` more."""
    overlap_s = (body or schemas.RotateSecret()).overlap_s
    secret = await commands.rotate_terminal(caller, terminal_id, overlap_s=overlap_s)
    terminal = await queries.get_terminal(terminal_id)
    return schemas.TerminalSecret(
        id=terminal.id, store_id=terminal.store_id, secret=secret, previous_until=terminal.previous_until
    )


@router.post(
    "/v1/admin/terminals/{terminal_id}/revoke", guard=staff(Permission.TERMINALS_MANAGE), status=204, summary="停用终端"
)
async def revoke_terminal(caller: StaffCaller, terminal_id: schemas.TerminalId) -> None:
    """Let a till in no more."""
    await commands.revoke_terminal(caller, terminal_id)


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


def _view(terminal: Terminal) -> schemas.TerminalView:
    return schemas.TerminalView(
        id=terminal.id,
        store_id=terminal.store_id,
        name=terminal.name,
        created_at=terminal.created_at,
        previous_until=terminal.previous_until,
        revoked_at=terminal.revoked_at,
    )
