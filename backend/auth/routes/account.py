"""What everybody of the staff does about their own login."""

from __future__ import annotations

import pyotp

from backend.auth import commands, queries, schemas
from backend.auth.errors import LoginLocked, PasswordWrong
from backend.auth.guards import staff
from backend.auth.types import StaffCaller
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .people import logins_of, sessions_out

router = Router(tag="my login")

_ME = "/v1/admin/me"
_PROVING = (PasswordWrong, LoginLocked)


@router.get(f"{_ME}/account", guard=staff(), summary="我的账户")
async def get_account(caller: StaffCaller) -> schemas.AccountOut:
    """Whether a second factor is asked for, and how many recovery codes are left."""
    person = await queries.get_staff(caller.staff_id)
    return schemas.AccountOut(person.username, person.totp, await queries.count_recovery_codes(caller.staff_id))


@router.put(f"{_ME}/password", guard=staff(), status=204, summary="修改密码", errors=(*_PROVING, ValidationFailed))
async def change_password(caller: StaffCaller, body: schemas.ChangePassword) -> None:
    """Take another password; every session ends, this one too."""
    await commands.account.change_password(caller, body.current, body.password)


@router.post(f"{_ME}/totp", guard=staff(), status=201, summary="设置动态验证码", errors=_PROVING)
async def begin_totp(caller: StaffCaller, body: schemas.BeginTotp) -> schemas.TotpBegun:
    """Make a second factor, or another; it holds once a code of it was shown."""
    secret = await commands.account.begin_totp(caller, body.current, body.totp)
    person = await queries.get_staff(caller.staff_id)
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.username, issuer_name=settings().chain_name)
    return schemas.TotpBegun(secret, uri)


@router.post(f"{_ME}/totp/confirm", guard=staff(), summary="启用动态验证码", errors=_PROVING)
async def finish_totp(caller: StaffCaller, body: schemas.FinishTotp) -> schemas.CodesOut:
    """Show a code of the new second factor: from now on it is asked for, and one's other sessions end."""
    return schemas.CodesOut(await commands.account.finish_totp(caller, body.totp))


@router.post(f"{_ME}/recovery-codes", guard=staff(), status=201, summary="更换恢复码", errors=_PROVING)
async def renew_codes(caller: StaffCaller, body: schemas.RenewCodes) -> schemas.CodesOut:
    """Make new recovery codes; those of before are void."""
    return schemas.CodesOut(await commands.account.renew_codes(caller, body.current, body.totp))


@router.get(f"{_ME}/sessions", guard=staff(), summary="我的登录会话")
async def list_sessions(caller: StaffCaller) -> schemas.StaffSessionsOut:
    """One's own living sessions."""
    return sessions_out(await queries.list_staff_sessions(caller.staff_id), caller.session_id)


@router.delete(f"{_ME}/sessions/{{session_id}}", guard=staff(), status=204, summary="结束我的会话", errors=(NotFound,))
async def end_session(caller: StaffCaller, session_id: str) -> None:
    """End one of one's own sessions."""
    await commands.account.end_own_session(caller, session_id)


@router.post(f"{_ME}/end-other-sessions", guard=staff(), summary="结束我的其他会话")
async def end_others(caller: StaffCaller) -> schemas.EndedOut:
    """End all of one's own sessions but this one."""
    return schemas.EndedOut(await commands.account.end_other_sessions(caller))


@router.get(f"{_ME}/logins", guard=staff(), summary="我的登录记录")
async def list_logins(caller: StaffCaller) -> schemas.LoginsOut:
    """One's own last hundred log-ins, and those that did not work."""
    return await logins_of(caller.staff_id)
