"""The phone's side of the till: its code, and the sales that wait for it."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.coupons.errors import CouponUnavailable
from backend.giftcards import errors as gift
from backend.kernel import qr
from backend.kernel.errors import NotFound
from backend.kernel.http import Reply, Router
from backend.ledger.errors import InsufficientBalance, MemberInactive
from backend.members.errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired
from backend.passes.errors import PassVoid

from ..commands import codes, confirmations
from ..errors import SaleAlreadyCompleted, SaleNotWaiting
from ..schemas import CodeOut, ConfirmationsOut, DecisionIn, DecisionOut

router = Router(tag="member")


@router.get("/v1/member/code", guard=member, summary="当前会员码")
async def get_code(caller: MemberCaller) -> CodeOut:
    """The session's current code."""
    return await codes.current_code(caller.session_id, caller.member_id)


@router.get("/v1/member/code.svg", guard=member, summary="当前会员码（SVG）")
async def get_code_svg(caller: MemberCaller) -> Reply:
    """The same code as a drawing."""
    code = await codes.current_code(caller.session_id, caller.member_id)
    return Reply(qr.draw(code.code, "svg"), media_type="image/svg+xml")


@router.get("/v1/member/code.png", guard=member, summary="当前会员码（PNG）")
async def get_code_png(caller: MemberCaller) -> Reply:
    """The same code as a picture."""
    code = await codes.current_code(caller.session_id, caller.member_id)
    return Reply(qr.draw(code.code, "png"), media_type="image/png")


@router.get("/v1/member/authorisation-code", guard=member, summary="当前授权码", errors=(NotFound,))
async def get_authorisation_code(caller: MemberCaller) -> CodeOut:
    """The code to authorise at a till with, where this phone is bound to a login of the staff; it pays nothing."""
    return await codes.authorisation_code(caller.session_id, caller.member_id)


@router.get("/v1/member/confirmations", guard=member, summary="待确认的销售")
async def list_confirmations(caller: MemberCaller) -> ConfirmationsOut:
    """Sales that wait for the member's answer."""
    return ConfirmationsOut(await confirmations.list_waiting(caller.member_id))


@router.post(
    "/v1/member/confirmations/{confirmation_id}",
    guard=member,
    summary="确认或拒绝",
    errors=(
        NotFound,
        InsufficientBalance,
        CouponUnavailable,
        gift.GiftCardFrozen,
        gift.GiftCardClosed,
        gift.GiftCardExpired,
        gift.GiftCardNamed,
        PassVoid,
        MemberInactive,
        PinRequired,
        PinInvalid,
        PinLocked,
        PinResetRequired,
        PinAllowance,
        SaleAlreadyCompleted,
        SaleNotWaiting,
    ),
)
async def decide(caller: MemberCaller, confirmation_id: str, body: DecisionIn) -> DecisionOut:
    """Approve or reject; idempotent by the sale's state."""
    return await confirmations.decide(confirmation_id, caller.member_id, body.decision, body.pin)
