"""The phone's calls: the catalogue, redeeming, and what was redeemed."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.coupons import errors as coupons
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, MemberInactive, Stale
from backend.members import queries as members
from backend.members.errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired
from backend.stock.errors import OutOfStock
from backend.wallet.errors import StoredLimitReached

from .. import errors, queries, rules, views
from ..commands import ending, redeeming
from ..schemas import GiftDetailOut, GiftsOut, PageQuery, RedeemIn, RedemptionOut, RedemptionsOut

router = Router(tag="gifts")

_GIFTS = "/v1/member/gifts"
_MINE = "/v1/member/gift-redemptions"


@router.get(_GIFTS, guard=member, summary="积分商城")
async def list_gifts(caller: MemberCaller) -> GiftsOut:
    """What is offered for points now, and why this member cannot have some of it."""
    viewer = await _viewer(caller.member_id)
    return GiftsOut(await views.gifts(await queries.list_shown(viewer.now), viewer), viewer.points)


@router.get(f"{_GIFTS}/{{gift_item_id}}", guard=member, summary="礼品详情", errors=(NotFound,))
async def get_gift(caller: MemberCaller, gift_item_id: str) -> GiftDetailOut:
    """One gift, with the stores where it is fetched."""
    viewer = await _viewer(caller.member_id)
    gift = await queries.find_gift(gift_item_id)
    if gift is None or not rules.is_shown(gift, viewer.now):
        raise NotFound("there is no such gift")
    return await views.detail(gift, viewer)


@router.post(
    _MINE,
    guard=member,
    status=201,
    idempotent=True,
    lane=redeeming.LANE,
    summary="积分兑换",
    errors=(
        NotFound,
        ValidationFailed,
        IdempotencyConflict,
        InsufficientBalance,
        MemberInactive,
        Stale,
        OutOfStock,
        StoredLimitReached,
        PinRequired,
        PinInvalid,
        PinLocked,
        PinResetRequired,
        PinAllowance,
        coupons.CouponSoldOut,
        coupons.CouponLimitReached,
        coupons.CouponNotClaimable,
        errors.GiftNotRedeemable,
        errors.GiftSoldOut,
        errors.GiftPriceChanged,
        errors.GiftLimitReached,
    ),
)
async def redeem(caller: MemberCaller, body: RedeemIn, idem: Idempotency) -> Answer[RedemptionOut]:
    """Redeem some pieces of a gift, once per key; points that expire first go first."""
    done = await redeeming.redeem(body, caller, idem)
    (shown,) = await views.redemptions([done.value])
    return Answer(shown, replayed=done.replayed)


@router.get(_MINE, guard=member, summary="我的兑换", errors=(ValidationFailed,))
async def list_redemptions(caller: MemberCaller, query: PageQuery) -> RedemptionsOut:
    """What this member redeemed, newest first."""
    before, most = read_place(query.cursor), query.limit + 1
    found = await members.newest_of_books(
        caller.member_id,
        lambda book: queries.list_own(book, before=before, limit=most),
        lambda one: (one.at, one.id),
        most,
    )
    page = found[: query.limit]
    return RedemptionsOut(
        await views.redemptions(page), place_cursor(page[-1].at, page[-1].id) if len(found) > len(page) else None
    )


@router.get(f"{_MINE}/{{redemption_id}}", guard=member, summary="兑换详情", errors=(NotFound,))
async def get_redemption(caller: MemberCaller, redemption_id: str) -> RedemptionOut:
    """One of this member's redemptions, with the code that fetches it."""
    books = await members.find_books(caller.member_id, queries.owner_of(redemption_id))
    found = await queries.find_redemption(books, redemption_id) if books is not None else None
    if found is None:
        raise NotFound("there is no such redemption")
    (shown,) = await views.redemptions([found])
    return shown


@router.post(
    f"{_MINE}/{{redemption_id}}/cancel",
    guard=member,
    summary="取消兑换",
    errors=(NotFound, Stale, errors.RedemptionConflict),
)
async def cancel(caller: MemberCaller, redemption_id: str) -> RedemptionOut:
    """Give a gift up that has not left yet: the points go back to where they came from."""
    (shown,) = await views.redemptions([await ending.cancel_own(redemption_id, caller)])
    return shown


async def _viewer(member_id: int) -> views.Viewer:
    now = clock.now()
    on = clock.local_date(now, settings().timezone)
    card, books = await members.get_card(member_id), await ledger.get_snapshot(member_id, on)
    points = books.spendable("points") - books.balances.get("points_debt", 0)
    return views.Viewer(member_id, card.level.code, points, await members.levels(), now, on)
