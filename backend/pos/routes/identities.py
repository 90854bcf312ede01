"""Identification at a till without the phone's code: signed by terminals."""

from __future__ import annotations

from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.identities.errors import (
    IdentityCodeInvalid,
    IdentityCodeLocked,
    IdentityDecided,
    IdentitySmsUnavailable,
)
from backend.identities.types import Rights
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Router
from backend.members.errors import PinInvalid, PinLocked

from ..commands import identities
from ..identity_schemas import IdentifyIn, IdentifyOut, PinIn, SendCodeIn, SmsCodeIn

router = Router(tag="pos")

_IDENTITIES = "/v1/pos/identities"


@router.post(
    _IDENTITIES,
    guard=terminal,
    status=202,
    summary="按手机号、证件或卡号确认会员",
    errors=(RateLimited, ValidationFailed),
)
async def ask(caller: TerminalCaller, body: IdentifyIn) -> IdentifyOut:
    """Ask who has this number: they confirm on their phone, or by their PIN at this till. Says of nobody who it is."""
    return await identities.ask(body, caller)


@router.get(f"{_IDENTITIES}/{{identity_id}}", guard=terminal, summary="身份确认结果", errors=(NotFound,))
async def show(caller: TerminalCaller, identity_id: str) -> IdentifyOut:
    """How it stands; once confirmed, who it is, with a scan token of limited rights."""
    return await identities.show(identity_id, caller)


@router.post(
    f"{_IDENTITIES}/{{identity_id}}/pin",
    guard=terminal,
    summary="会员输入支付密码",
    errors=(NotFound, IdentityDecided, PinInvalid, PinLocked),
)
async def confirm(caller: TerminalCaller, identity_id: str, body: PinIn) -> IdentifyOut:
    """Confirm by the payment PIN, typed by the member."""
    return await identities.confirm(identity_id, body.pin, caller)


@router.post(
    f"{_IDENTITIES}/{{identity_id}}/sms",
    guard=terminal,
    status=202,
    summary="向会员发送短信验证码",
    errors=(NotFound, IdentityDecided, IdentitySmsUnavailable, IdentityCodeLocked),
)
async def send_code(caller: TerminalCaller, identity_id: str, body: SendCodeIn) -> IdentifyOut:
    """Have a code sent to the member's phone by SMS, for this till and purpose; good five minutes."""
    return await identities.send_code(identity_id, Rights(body.purpose), caller)


@router.post(
    f"{_IDENTITIES}/{{identity_id}}/code",
    guard=terminal,
    summary="会员读出短信验证码",
    errors=(NotFound, IdentityDecided, IdentityCodeInvalid, IdentityCodeLocked),
)
async def confirm_by_code(caller: TerminalCaller, identity_id: str, body: SmsCodeIn) -> IdentifyOut:
    """Confirm by the code that the member read out; it is good once."""
    return await identities.confirm_by_code(identity_id, body.code, caller)
