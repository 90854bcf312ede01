"""What staff and tills do about payment PINs, with the member there."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import staff, terminal
from backend.auth.types import Permission, StaffCaller, TerminalCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Router
from backend.ledger.errors import MemberInactive
from backend.wechat.errors import PhoneCodeInvalid

from .. import queries
from ..commands import pins, standing
from ..errors import MemberNotPresent, PinActsLimit, PinConflict, StatusConflict
from ..schemas.pins import PinActIn, PinActOut, PinAtTill, PinOut

router = Router(tag="member")

_RESET = staff(Permission.PINS_RESET)
_PIN = "/v1/admin/members/{member_id}/pin"
_CODE = (CodeInvalid, CodeExpired, CodeUsed, RateLimited)
_PRESENT = (
    NotFound,
    ValidationFailed,
    *_CODE,
    PhoneCodeInvalid,
    MemberNotPresent,
    StatusConflict,
    MemberInactive,
    PinActsLimit,
)
LAST = 50


@router.get(_PIN, guard=_RESET, summary="支付密码状态", errors=(NotFound,))
async def get_pin(caller: StaffCaller, member_id: str) -> PinOut:
    """How a member's PIN stands, and what was done about it; never what it is."""
    return await _out((await standing.get_for_staff(caller, member_id)).id)


@router.post(f"{_PIN}/initialise", guard=_RESET, summary="初始化支付密码（会员在场）", errors=_PRESENT)
async def initialise(caller: StaffCaller, member_id: str, body: PinActIn) -> PinOut:
    """End the PIN of a member who stands there: dead at once, and their phone sets another at its next use."""
    return await _out(await pins.initialise(member_id, body, caller))


@router.post(f"{_PIN}/unlock", guard=_RESET, summary="解锁支付密码（会员在场）", errors=(*_PRESENT, PinConflict))
async def unlock(caller: StaffCaller, member_id: str, body: PinActIn) -> PinOut:
    """Let the PIN of a member who stands there be tried again."""
    return await _out(await pins.unlock(member_id, body, caller))


@router.post(
    "/v1/pos/pins",
    guard=terminal,
    status=204,
    summary="会员在密码键盘上设置支付密码",
    errors=(*_CODE, StatusConflict, MemberInactive, PinActsLimit),
)
async def set_at_till(caller: TerminalCaller, body: PinAtTill) -> None:
    """Set the PIN that a member typed at the till's PIN pad; the code that they showed for it is spent.

    There is no key: what a retry would have to match holds the PIN. After a lost answer the code is `code_used`, and
    the member's letter says that it was done.
    """
    await pins.set_at_till(body, caller)


async def _out(member_id: int) -> PinOut:
    found = await queries.get_pin_standing(member_id)
    acts = await queries.list_pin_acts(member_id, limit=LAST)
    return PinOut(
        state=found.state,
        changed_at=found.changed_at,
        locked_until=found.locked_until,
        lower_until=found.lower_until,
        lower_left_fen=found.lower_left_fen,
        acts=[PinActOut(one.at, one.act, one.actor, one.store_id, one.proof, one.reason) for one in acts],
    )
