"""The member's e-mail address."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import RateLimited, ValidationFailed
from backend.kernel.http import Router
from backend.members.errors import FieldLocked

from .. import channel_views as views
from ..channel_schemas import ConfirmEmail, EmailOut, PutEmail
from ..commands import email
from ..errors import EmailCodeInvalid, EmailInvalid, EmailUnavailable
from ..queries import addresses

router = Router(tag="messages")

_EMAIL = "/v1/member/email"


@router.get(_EMAIL, guard=member, summary="邮箱")
async def get_email(caller: MemberCaller) -> EmailOut:
    """The caller's e-mail address, masked, and the one that waits for its code."""
    return views.email(await addresses.find_email(caller.member_id))


@router.put(
    _EMAIL,
    guard=member,
    errors=(EmailInvalid, EmailUnavailable, FieldLocked, RateLimited, ValidationFailed),
    summary="设置邮箱（发送验证码）",
)
async def put_email(caller: MemberCaller, body: PutEmail) -> EmailOut:
    """Send a code to an address; it is written to when the code came back, and the old one until then."""
    await email.ask_for(caller.member_id, body.email)
    return views.email(await addresses.find_email(caller.member_id))


@router.post(
    f"{_EMAIL}/confirm", guard=member, errors=(EmailCodeInvalid, FieldLocked, ValidationFailed), summary="确认邮箱"
)
async def confirm_email(caller: MemberCaller, body: ConfirmEmail) -> EmailOut:
    """Take the code that came to the address; five wrong ones, or a quarter of an hour, and another must be sent."""
    await email.confirm(caller.member_id, body.code)
    return views.email(await addresses.find_email(caller.member_id))


@router.delete(_EMAIL, guard=member, summary="删除邮箱")
async def delete_email(caller: MemberCaller) -> None:
    """Write to the caller by e-mail no more, and forget the address."""
    await email.forget(caller.member_id)
