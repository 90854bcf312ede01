"""People with a login, as somebody else sees to them: invitations, places, sessions, lost passwords and devices."""

from __future__ import annotations

from datetime import timedelta

import pyotp

from backend.auth import commands, queries, rules, schemas, service
from backend.auth.commands.logins import login_subject
from backend.auth.errors import AlreadyExists, BeyondOneself, LastAdmin, LinkGone, OwnLogin, TooManyInvitations
from backend.auth.guards import staff
from backend.auth.queries import AuditFilter
from backend.auth.trails import LOGIN, sender
from backend.auth.types import Permission, Staff, StaffCaller
from backend.kernel import clock, db, ids, limits
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Request, Router, public

router = Router(tag="staff")

_STAFF = "/v1/admin/staff"
_ONE = f"{_STAFF}/{{staff_id}}"
_INVITATIONS = "/v1/admin/invitations"
_CHANGED = (NotFound, BeyondOneself)
_OTHERS = (*_CHANGED, OwnLogin)
LAST = 100

_read = staff(Permission.STAFF_READ)
_manage = staff(Permission.STAFF_MANAGE)


@router.get(_STAFF, guard=_read, summary="员工列表")
async def list_staff(caller: StaffCaller) -> schemas.StaffList:
    """Everybody with a login; for somebody of a store those of that store."""
    return schemas.StaffList(await _items([one for one in await queries.list_staff() if caller.reaches(one.store_id)]))


@router.get(_ONE, guard=_read, summary="员工详情", errors=(NotFound,))
async def get_person(caller: StaffCaller, staff_id: str) -> schemas.StaffItem:
    """One person with a login."""
    (item,) = await _items([await _seen(caller, staff_id)])
    return item


@router.post(
    _STAFF, guard=_manage, status=201, errors=(AlreadyExists, BeyondOneself, ValidationFailed), summary="新增员工"
)
async def create_staff(caller: StaffCaller, body: schemas.CreateStaff) -> schemas.StaffCreated:
    """Add a login; a second factor's secret is shown this once."""
    secret = pyotp.random_base32() if body.totp else None
    made = await commands.create_staff(body.username, body.password, body.role, body.store_id, secret, caller)
    return schemas.StaffCreated(staff=made, totp_secret=secret)


@router.put(_ONE, guard=_manage, summary="调整角色与门店", errors=(*_CHANGED, LastAdmin, ValidationFailed))
async def move_staff(caller: StaffCaller, staff_id: str, body: schemas.MoveStaff) -> Staff:
    """Give somebody another role or another place; it holds from their next call on."""
    return await commands.people.move_staff(staff_id, body.role, body.store_id, caller)


@router.post(f"{_ONE}/close", guard=_manage, status=204, summary="停用员工", errors=(*_CHANGED, LastAdmin))
async def close_staff(caller: StaffCaller, staff_id: str) -> None:
    """Take a login away; its sessions end at once. Somebody who may do everything must be left."""
    await commands.people.close_staff(staff_id, caller)


@router.post(f"{_ONE}/reopen", guard=_manage, status=204, summary="恢复员工", errors=_CHANGED)
async def reopen_staff(caller: StaffCaller, staff_id: str) -> None:
    """Let somebody log in again."""
    await commands.people.reopen_staff(staff_id, caller)


@router.post(f"{_ONE}/unlock", guard=_manage, status=204, summary="解除登录锁定", errors=_OTHERS)
async def unlock_staff(caller: StaffCaller, staff_id: str) -> None:
    """Forget somebody's wrong tries, so that they need not wait."""
    await commands.people.unlock_staff(staff_id, caller)


@router.post(f"{_ONE}/reset-totp", guard=_manage, status=204, summary="重置动态验证码", errors=_OTHERS)
async def reset_totp(caller: StaffCaller, staff_id: str) -> None:
    """Take away the second factor of somebody who lost it; their sessions end."""
    await commands.people.reset_totp(staff_id, caller)


@router.post(
    f"{_ONE}/reset-password", guard=_manage, status=201, summary="重置密码链接", errors=(*_OTHERS, ValidationFailed)
)
async def reset_password(caller: StaffCaller, staff_id: str, body: schemas.ResetIn | None) -> schemas.LinkOut:
    """Make a link, good once and for a day, with which somebody sets another password; then all their sessions end.

    With `email` it is sent there.
    """
    email = body.email if body else None
    await _check_mail(email, caller)
    link_id, token = await commands.links.reset_password(staff_id, caller)
    return await _handed(link_id, token, rules.RESET_WITHIN, email, "重置密码")


@router.get(f"{_ONE}/sessions", guard=_read, summary="员工的登录会话", errors=(NotFound,))
async def list_sessions(caller: StaffCaller, staff_id: str) -> schemas.StaffSessionsOut:
    """The living sessions of somebody."""
    person = await _seen(caller, staff_id)
    return sessions_out(await queries.list_staff_sessions(int(person.id)), caller.session_id)


@router.delete(f"{_ONE}/sessions/{{session_id}}", guard=_manage, status=204, summary="结束会话", errors=_CHANGED)
async def end_session(caller: StaffCaller, staff_id: str, session_id: str) -> None:
    """End one session of somebody at once."""
    await commands.people.end_session_of(staff_id, session_id, caller)


@router.post(f"{_ONE}/end-sessions", guard=_manage, summary="结束全部会话", errors=_CHANGED)
async def end_sessions(caller: StaffCaller, staff_id: str) -> schemas.EndedOut:
    """End all sessions of somebody at once."""
    return schemas.EndedOut(await commands.people.end_sessions_of(staff_id, caller))


@router.get(f"{_ONE}/logins", guard=_read, summary="员工的登录记录", errors=(NotFound,))
async def list_logins(caller: StaffCaller, staff_id: str) -> schemas.LoginsOut:
    """The last hundred log-ins of somebody, and those that did not work."""
    return await logins_of(int((await _seen(caller, staff_id)).id))


@router.get(_INVITATIONS, guard=_manage, summary="邀请列表")
async def list_invitations() -> schemas.InvitationsOut:
    """The last two hundred invitations and what became of them."""
    return schemas.InvitationsOut([_invitation(row) for row in await queries.list_invitations()])


@router.post(
    _INVITATIONS,
    guard=_manage,
    status=201,
    summary="邀请员工",
    errors=(AlreadyExists, BeyondOneself, TooManyInvitations, ValidationFailed),
)
async def invite(caller: StaffCaller, body: schemas.Invite) -> schemas.LinkOut:
    """Make a link, good once and for three days, with which somebody makes themselves that login; sent to `email`."""
    await _check_mail(body.email, caller)
    link_id, token = await commands.links.invite(body.username, body.role, body.store_id, caller)
    return await _handed(link_id, token, rules.INVITED, body.email, "员工账户邀请")


@router.post(
    f"{_INVITATIONS}/{{invitation_id}}/revoke", guard=_manage, status=204, summary="撤回邀请", errors=(NotFound,)
)
async def revoke(caller: StaffCaller, invitation_id: str) -> None:
    """Take an invitation back that nobody has used."""
    await commands.links.revoke(invitation_id, caller)


@router.post("/v1/admin/links/use", guard=public, summary="使用邀请或重置链接", errors=(LinkGone, ValidationFailed))
async def use_link(body: schemas.UseLink, request: Request) -> schemas.LinkUsed:
    """Set the password of an invitation or a reset, once; then log in."""
    await limits.hit(f"login:{request.client}", settings().rate_login_per_minute)
    return schemas.LinkUsed(await commands.links.use(body.token, body.password, sender(request)))


MAILS_AN_HOUR = 60


async def _check_mail(email: str | None, caller: StaffCaller) -> None:
    """Refuse an address that cannot be written to, or letters without end, before a link is made: a refusal voids none
    of those of before."""
    service.check_address(email)
    if email is not None:
        await limits.hit(f"staff-mail:{caller.staff_id}", MAILS_AN_HOUR, 3600)


async def _handed(link_id: str, token: str, within: timedelta, email: str | None, title: str) -> schemas.LinkOut:
    """A link as it is answered, sent to the address where one is named. The log has neither."""
    hours, chain = int(within.total_seconds()) // 3600, settings().chain_name
    text = (
        f"请在 {hours} 小时内打开以下链接设置登录密码，链接只能用一次：\n"
        f"{settings().base_url.rstrip('/')}/admin#/join?token={token}\n若与您无关，请忽略，勿转发。"
    )
    sent = await service.send_link(email, f"{chain}：{title}", text)
    return schemas.LinkOut(link_id, token, int(within.total_seconds()), sent)


async def _seen(caller: StaffCaller, staff_id: str) -> Staff:
    row_id = ids.read_bigint(staff_id)
    person = await queries.get_staff(row_id) if row_id is not None else None
    if person is None or not caller.reaches(person.store_id):
        raise NotFound("there is no such person")
    return person


async def _items(people: list[Staff]) -> list[schemas.StaffItem]:
    subjects = {login_subject(one.username): one.id for one in people}
    locked = {subjects[subject]: until for subject, until in (await queries.list_locked(subjects)).items()}
    return [
        schemas.StaffItem(
            id=one.id,
            username=one.username,
            role=one.role,
            store_id=one.store_id,
            totp=one.totp,
            active=one.active,
            member_id=one.member_id,
            locked_until=locked.get(one.id),
        )
        for one in people
    ]


def sessions_out(rows: list[db.Record], current: int) -> schemas.StaffSessionsOut:
    """Sessions as they are shown; the caller's own is marked."""
    return schemas.StaffSessionsOut(
        [
            schemas.StaffSessionOut(
                id=str(row["id"]),
                created_at=row["created_at"],
                seen_at=row["seen_at"],
                expires_at=row["expires_at"],
                address=row["address"],
                agent=row["agent"],
                current=row["id"] == current,
            )
            for row in rows
        ]
    )


async def logins_of(staff_id: int) -> schemas.LoginsOut:
    """Somebody's log-ins, out of the audit log."""
    found = await queries.list_audit(AuditFilter(staff_id=staff_id, route=LOGIN), before=None, limit=LAST)
    return schemas.LoginsOut([schemas.LoginOut(one.at, one.code, one.address) for one in found])


def _invitation(row: db.Record) -> schemas.InvitationOut:
    state = "expired" if clock.now() >= row["expires_at"] else "waiting"
    if row["used_at"] is not None or row["revoked_at"] is not None:
        state = "used" if row["used_at"] is not None else "revoked"
    return schemas.InvitationOut(
        id=row["id"],
        username=row["username"],
        role=row["role"],
        store_id=row["store_id"],
        made_by=row["made_by_name"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        state=state,
    )
