"""The phone's coupons: the centre, claiming, and what the member has."""

from __future__ import annotations

from datetime import date

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import clock, paging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, RateLimited, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive
from backend.members import queries as members

from .. import queries, views
from ..commands import centre, claims, gifts
from ..errors import CouponCodeInvalid, CouponCodeUsed, CouponLimitReached, CouponNotClaimable, CouponSoldOut
from ..schemas import CentreItem, CentreOut, ClaimIn, CouponDetail, CouponOut, CouponsOut, CouponsQuery

router = Router(tag="coupons")


def _today() -> date:
    return clock.local_date(clock.now(), settings().timezone)


@router.get("/v1/member/coupon-centre", guard=member, summary="领券中心")
async def get_centre(caller: MemberCaller) -> CentreOut:
    """What may be claimed now, with how many are left and how many this member had."""
    return CentreOut(await centre.list_centre(caller.member_id))


@router.get("/v1/member/coupon-offers/{token}", guard=member, summary="查看领券链接", errors=(NotFound,))
async def show_offer(caller: MemberCaller, token: str) -> CentreItem:
    """What a link offers, before it is claimed."""
    return await centre.show_offer(token, caller.member_id)


@router.post(
    "/v1/member/coupons/claim",
    guard=member,
    status=201,
    idempotent=True,
    summary="领取优惠券",
    errors=(
        CouponSoldOut,
        CouponLimitReached,
        CouponNotClaimable,
        CouponCodeInvalid,
        CouponCodeUsed,
        IdempotencyConflict,
        MemberInactive,
        RateLimited,
        Unavailable,
        ValidationFailed,
    ),
)
async def claim(caller: MemberCaller, body: ClaimIn, idem: Idempotency) -> Answer[CouponOut]:
    """Take a coupon from the centre (``template_id``), by a link (``share_token``) or with a printed ``code``."""
    found, replayed = await claims.claim(caller, body, idem)
    return Answer(views.coupon(found), replayed=replayed)


@router.get("/v1/member/coupons", guard=member, summary="我的优惠券", errors=(ValidationFailed,))
async def list_coupons(caller: MemberCaller, query: CouponsQuery) -> CouponsOut:
    """A page of the member's coupons: those that can be used (or are locked by an order), were used, or expired."""
    before = None
    if query.cursor is not None:
        parts = paging.read_cursor(query.cursor, 2)
        at = paging.read_instant(parts[0]) if parts else None
        if parts is None or at is None:
            raise invalid("/query/cursor", "not a cursor of this list")
        before = (at, parts[1])
    on, most = _today(), query.limit + 1

    async def of_book(book: int) -> list[queries.Standing]:
        return await queries.list_coupons(book, query.state, on, before=before, limit=most, carried=False)

    found = await members.newest_of_books(
        caller.member_id, of_book, lambda one: (one.coupon.issued_at, one.coupon.id), most
    )
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        made = page[-1].coupon
        last = paging.make_cursor(paging.instant_part(made.issued_at), made.id)
    usable, first = await queries.count_available(caller.member_id, _today()) if before is None else (None, None)
    return CouponsOut([views.coupon(item) for item in page], last, usable, first)


@router.get("/v1/member/coupons/{coupon_id}", guard=member, summary="优惠券详情", errors=(NotFound,))
async def get_coupon(caller: MemberCaller, coupon_id: str) -> CouponDetail:
    """One coupon with every condition in words; another member's is not found."""
    found = await queries.find_coupon(caller.member_id, coupon_id, _today())
    if found is None:
        raise NotFound("there is no such coupon")
    names = await queries.names_of(found.version.terms.scope)
    gift = await gifts.find_open(caller.member_id, coupon_id) if found.version.terms.transferable else None
    return views.coupon_detail(found, names, gifts.gift_out(gift) if gift else None)
