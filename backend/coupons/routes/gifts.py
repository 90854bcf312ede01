"""The phone's gifts: a coupon goes to a friend by a link, and the friend accepts."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited, Unavailable
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive

from .. import queries, views
from ..commands import gifts
from ..errors import (
    REFUSALS,
    CouponGiftOver,
    CouponGiftOwn,
    CouponNotTransferable,
    CouponUnavailable,
)
from ..schemas import CouponOut, GiftOut, GiftShown
from ..types import Reason

router = Router(tag="coupons")

_NOT_AVAILABLE = tuple(
    REFUSALS[reason] for reason in (Reason.USED, Reason.LOCKED, Reason.GIVEN, Reason.VOID, Reason.EXPIRED)
)


@router.post(
    "/v1/member/coupons/{coupon_id}/gifts",
    guard=member,
    status=201,
    idempotent=True,
    summary="转赠优惠券",
    errors=(
        CouponNotTransferable,
        CouponUnavailable,
        *_NOT_AVAILABLE,
        IdempotencyConflict,
        MemberInactive,
        NotFound,
        Unavailable,
    ),
)
async def give(caller: MemberCaller, coupon_id: str, idem: Idempotency) -> Answer[GiftOut]:
    """Give all that is left of a coupon: nobody can use it until a friend accepts by the token, or it comes back."""
    gift, replayed = await gifts.give(caller, coupon_id, idem)
    return Answer(gifts.gift_out(gift), replayed=replayed)


@router.delete(
    "/v1/member/coupons/{coupon_id}/gifts/{gift_id}",
    guard=member,
    status=204,
    summary="撤回转赠",
    errors=(CouponGiftOver, NotFound, Unavailable),
)
async def take_back(caller: MemberCaller, coupon_id: str, gift_id: str) -> None:
    """Take it back before a friend accepts; doing so again changes nothing."""
    await gifts.take_back(caller, coupon_id, gift_id)


@router.get("/v1/member/coupon-gifts/{token}", guard=member, summary="查看转赠", errors=(NotFound, RateLimited))
async def show(caller: MemberCaller, token: str) -> GiftShown:
    """What the link gives, to whoever has it."""
    shown = await gifts.show(caller, token)
    names = await queries.names_of(shown.standing.version.terms.scope)
    return views.gift_shown(shown.standing, shown.gift, names, state=shown.state, giver=shown.giver, own=shown.own)


@router.post(
    "/v1/member/coupon-gifts/{token}/accept",
    guard=member,
    status=201,
    idempotent=True,
    summary="领取转赠",
    errors=(CouponGiftOver, CouponGiftOwn, IdempotencyConflict, MemberInactive, NotFound, RateLimited, Unavailable),
)
async def accept(caller: MemberCaller, token: str, idem: Idempotency) -> Answer[CouponOut]:
    """Make it the member's own: a new coupon with the same terms and last day. The first friend gets it."""
    found, replayed = await gifts.accept(caller, token, idem)
    return Answer(views.coupon(found), replayed=replayed)
