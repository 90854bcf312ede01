"""The calls of a member's own phone: login, registration, profile, PIN.

New tokens and logging out stand in ``backend.auth``; codes and confirmations in ``backend.pos``.
"""

from __future__ import annotations

from backend.auth.guards import member, registered, session
from backend.auth.types import MemberCaller, SessionCaller
from backend.kernel import limits, logging
from backend.kernel.http import Request, Router, public
from backend.wechat.errors import JsCodeInvalid, PhoneCodeInvalid

from .. import queries, schemas, views
from ..commands import joining, phone, profile
from ..errors import (
    AlreadyRegistered,
    FieldLocked,
    PhoneTaken,
    PinInvalid,
    PinLocked,
    PinRequired,
    RegistrationRejected,
)

log = logging.get(__name__)
router = Router(tag="member")
REGISTRATIONS_PER_HOUR = 20


@router.post("/v1/member/login", guard=public, errors=(JsCodeInvalid,), summary="微信登录")
async def login(body: schemas.LoginBody, request: Request) -> schemas.LoginAnswer:
    """Begin a session of the WeChat user.

    No limit of its own beyond the address's: a shop's guests share one address, and WeChat's codes cannot be guessed.
    """
    agent = "".join(char for char in request.headers.get("user-agent", "") if char.isprintable())[:200]
    opened = await joining.login(body.js_code, agent or None)
    found = await queries.find_member(opened.member_id) if opened.member_id is not None else None
    return schemas.LoginAnswer(
        access_token=opened.access_token,
        refresh_token=opened.refresh_token,
        expires_in=opened.expires_in,
        registration=opened.standing.value,
        member=await views.view(found) if found else None,
    )


@router.post(
    "/v1/member/register",
    guard=session,
    status=201,
    errors=(AlreadyRegistered, PhoneTaken, PhoneCodeInvalid, RegistrationRejected),
    summary="注册会员",
)
async def register(caller: SessionCaller, body: schemas.Register) -> schemas.MemberView:
    """Make the logged-in user a member; the same token acts for the member from now on."""
    await limits.hit(f"register:{caller.identity_id}", REGISTRATIONS_PER_HOUR, 3600)
    return await views.view(await joining.register(caller, body))


@router.get("/v1/member/profile", guard=registered, summary="会员资料")
async def get_profile(caller: MemberCaller) -> schemas.MemberView:
    """The caller's own profile; also while the registration waits or the membership is frozen."""
    return await views.view(await queries.get_member(caller.member_id))


@router.patch("/v1/member/profile", guard=member, errors=(FieldLocked,), summary="修改会员资料")
async def change_profile(caller: MemberCaller, body: schemas.ChangeProfile) -> schemas.MemberView:
    """Change the fields that are sent."""
    return await views.view(await profile.change_profile(caller.member_id, body))


@router.post("/v1/member/profile", guard=member, errors=(FieldLocked,), summary="修改会员资料（小程序不能发 PATCH）")
async def post_profile(caller: MemberCaller, body: schemas.ChangeProfile) -> schemas.MemberView:
    """The same as PATCH."""
    return await views.view(await profile.change_profile(caller.member_id, body))


@router.get("/v1/member/profile/form", guard=session, summary="资料表单")
async def get_form(caller: SessionCaller) -> schemas.ProfileForm:
    """What one may fill in: which fields may be changed and how often still, and the chain's own attributes.

    Also of use before registering: what is required there is marked.
    """
    return await views.form_view(caller.member_id)


@router.post(
    "/v1/member/phone",
    guard=member,
    errors=(FieldLocked, PhoneTaken, PhoneCodeInvalid, PinRequired, PinInvalid, PinLocked),
    summary="更换手机号",
)
async def change_phone(caller: MemberCaller, body: schemas.ChangePhone) -> schemas.MemberView:
    """Take the number that WeChat vouches for; with a payment PIN set, that too is needed."""
    await limits.hit(f"phone:{caller.member_id}", REGISTRATIONS_PER_HOUR, 3600)
    return await views.view(await profile.change_phone(caller.member_id, body))


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
    await phone.put_pin(caller.member_id, body)
