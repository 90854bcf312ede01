"""Tokens of members and staff, and who is logged in."""

from __future__ import annotations

from backend.auth import commands, queries, schemas
from backend.auth.errors import DeviceUnknown, LoginHours, LoginLocked
from backend.auth.guards import session, staff
from backend.auth.trails import sender
from backend.auth.types import Permission, SessionCaller, StaffCaller, Tokens
from backend.kernel import limits
from backend.kernel.config import settings
from backend.kernel.errors import Unauthenticated
from backend.kernel.http import Request, Router, public

router = Router(tag="auth")
_REFUSED = (LoginLocked, LoginHours, DeviceUnknown)


@router.post("/v1/member/token", guard=public, errors=(Unauthenticated,), summary="会员换取新令牌")
async def refresh_member(body: schemas.Refresh) -> Tokens:
    """Exchange a refresh token; the old one is dead, and its reuse ends the whole session."""
    return await commands.refresh_member(body.refresh_token)


@router.post("/v1/member/logout", guard=session, status=204, summary="会员退出")
async def logout_member(caller: SessionCaller, body: schemas.Logout | None) -> None:
    """End this session; with ``everywhere`` all sessions and devices of the member."""
    everywhere = body is not None and body.everywhere
    await commands.logout(caller.session_id, caller.identity_id, caller.member_id, everywhere=everywhere)


@router.post("/v1/admin/login", guard=public, errors=(Unauthenticated, *_REFUSED), summary="员工登录")
async def login(body: schemas.StaffLogin, request: Request) -> schemas.LoggedIn:
    """Begin a staff session."""
    await limits.hit(f"login:{request.client}", settings().rate_login_per_minute)
    begun, device = await commands.login_staff(
        body.username, body.password, body.totp, body.recovery, sender(request), body.device
    )
    return schemas.LoggedIn(begun.access_token, begun.refresh_token, begun.expires_in, device)


@router.post("/v1/admin/token", guard=public, errors=(Unauthenticated, LoginHours), summary="员工换取新令牌")
async def refresh(body: schemas.Refresh, request: Request) -> Tokens:
    """Exchange a refresh token; the old one is dead, and its reuse ends the session."""
    return await commands.refresh_staff(body.refresh_token, sender(request))


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
        second_factor_required=role.second_factor and not person.totp,
    )
