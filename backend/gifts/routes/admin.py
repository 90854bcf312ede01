"""Staff's calls: head office's catalogue, and what stores do with redemptions."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import Stale
from backend.stock import queries as stock
from backend.stock.errors import ReturnExceedsSold

from .. import errors, queries, views
from ..commands import catalogue, ending, handing, receivers
from ..schemas import (
    CancelIn,
    GiftIn,
    GiftsQuery,
    ParcelReceiverOut,
    PickupIn,
    ReturnIn,
    SendIn,
    StaffGiftOut,
    StaffGiftsOut,
    StaffRedemptionOut,
    StaffRedemptionsOut,
    StaffRedemptionsQuery,
    StorePickupIn,
    TillGiftOut,
)
from ..types import Redemption

router = Router(tag="gifts")

_GIFTS = "/v1/admin/gifts"
_GIFT = f"{_GIFTS}/{{gift_item_id}}"
_REDEMPTIONS = "/v1/admin/gift-redemptions"
_REDEMPTION = f"{_REDEMPTIONS}/{{redemption_id}}"
_READERS = staff(Permission.GIFTS_READ)
_WRITERS = staff(Permission.GIFTS_WRITE)
_HANDLERS = staff(Permission.GIFTS_HANDLE)
LAST = 100


@router.get(_GIFTS, guard=_READERS, summary="礼品", errors=(ValidationFailed,))
async def list_gifts(caller: StaffCaller, query: GiftsQuery) -> StaffGiftsOut:
    """Gifts, newest first."""
    found = await queries.list_gifts(query.state, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    return StaffGiftsOut(
        [views.staff_gift(one) for one in page],
        place_cursor(page[-1].created_at, page[-1].id) if len(found) > len(page) else None,
    )


@router.post(_GIFTS, guard=_WRITERS, status=201, summary="新建礼品", errors=(ValidationFailed,))
async def create_gift(caller: StaffCaller, body: GiftIn) -> StaffGiftOut:
    """Add a gift as a draft."""
    return views.staff_gift(await catalogue.create_gift(body, caller.staff_id))


@router.get(_GIFT, guard=_READERS, summary="礼品详情", errors=(NotFound,))
async def get_gift(caller: StaffCaller, gift_item_id: str) -> StaffGiftOut:
    """One gift."""
    return views.staff_gift(await catalogue.get_gift(gift_item_id))


@router.put(_GIFT, guard=_WRITERS, summary="修改礼品", errors=(NotFound, ValidationFailed, errors.GiftConflict))
async def change_gift(caller: StaffCaller, gift_item_id: str, body: GiftIn) -> StaffGiftOut:
    """Change a gift as a whole, from now on; ``version`` is the one that was seen."""
    return views.staff_gift(await catalogue.change_gift(gift_item_id, body, caller.staff_id))


@router.post(f"{_GIFT}/publish", guard=_WRITERS, summary="上架", errors=(NotFound, errors.GiftConflict))
async def publish(caller: StaffCaller, gift_item_id: str) -> StaffGiftOut:
    """Show a gift on phones."""
    return views.staff_gift(await catalogue.move_gift(gift_item_id, "publish", caller.staff_id))


@router.post(f"{_GIFT}/withdraw", guard=_WRITERS, summary="下架", errors=(NotFound, errors.GiftConflict))
async def withdraw(caller: StaffCaller, gift_item_id: str) -> StaffGiftOut:
    """Take a gift off phones; what was redeemed goes its way."""
    return views.staff_gift(await catalogue.move_gift(gift_item_id, "withdraw", caller.staff_id))


@router.get(f"{_GIFT}/changes", guard=_READERS, summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, gift_item_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await catalogue.get_gift(gift_item_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


# -- redemptions


@router.get(_REDEMPTIONS, guard=_READERS, summary="礼品兑换", errors=(NotFound, ValidationFailed))
async def list_redemptions(caller: StaffCaller, query: StaffRedemptionsQuery) -> StaffRedemptionsOut:
    """What was redeemed, newest first; people of a store see what lies at its places."""
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    member_id = ids.read_bigint(query.member_id) if query.member_id else None
    if query.member_id and member_id is None:
        raise NotFound("there is no such member")
    places = [place.id for place in await stock.list_places(store_id=store_id)] if store_id else None
    wanted = queries.Wanted(
        state=query.status,
        open_only=query.open_only,
        gift_id=query.gift_id,
        place_ids=places,
        member_id=member_id,
    )
    found = await queries.list_redemptions(wanted, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    return StaffRedemptionsOut(
        await views.staff_redemptions(page), place_cursor(page[-1].at, page[-1].id) if len(found) > len(page) else None
    )


@router.get(_REDEMPTION, guard=_READERS, summary="兑换详情", errors=(NotFound,))
async def get_redemption(caller: StaffCaller, redemption_id: str) -> StaffRedemptionOut:
    """One redemption."""
    return await _shown(await handing.reached(redemption_id, caller))


@router.get(f"{_REDEMPTION}/changes", guard=_READERS, summary="兑换的处理记录", errors=(NotFound,))
async def list_redemption_changes(caller: StaffCaller, redemption_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await handing.reached(redemption_id, caller)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.post(f"{_REDEMPTION}/receiver", guard=_HANDLERS, summary="收件人", errors=(NotFound,))
async def get_receiver(caller: StaffCaller, redemption_id: str) -> ParcelReceiverOut:
    """To whom it is sent, while it is to be sent or on its way; the look is written down."""
    return await receivers.look(redemption_id, caller)


@router.post(
    "/v1/admin/gift-pickups",
    guard=_HANDLERS,
    summary="按领取码查礼品",
    errors=(NotFound, ValidationFailed, errors.GiftCodeInvalid, RateLimited),
)
async def find_pickup(caller: StaffCaller, body: StorePickupIn) -> TillGiftOut:
    """What waits at a store under a gift's code; binds nothing."""
    store_id = body.store_id or caller.store_id
    if store_id is None:
        raise invalid("/store_id", "at which store?")
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    await auth.get_store(store_id)
    who = f"staff:{caller.staff_id}"
    return await views.till_gift(await handing.look_up(body.code, store_id=store_id, who=who))


@router.post(
    f"{_REDEMPTION}/handover",
    guard=_HANDLERS,
    summary="交付礼品",
    errors=(
        NotFound,
        Stale,
        errors.GiftCodeInvalid,
        RateLimited,
        errors.GiftHandedOver,
        errors.RedemptionConflict,
    ),
)
async def hand_over(caller: StaffCaller, redemption_id: str, body: PickupIn) -> StaffRedemptionOut:
    """Give a gift out against its code, once."""
    await handing.hand_over_by_staff(redemption_id, body.code, caller)
    return await _shown(await handing.reached(redemption_id, caller))


@router.post(
    f"{_REDEMPTION}/send", guard=_HANDLERS, summary="寄出礼品", errors=(NotFound, Stale, errors.RedemptionConflict)
)
async def send(caller: StaffCaller, redemption_id: str, body: SendIn) -> StaffRedemptionOut:
    """Note the parcel that a gift left with; another number puts it right."""
    await handing.send(redemption_id, body.carrier, body.tracking_no, caller)
    return await _shown(await handing.reached(redemption_id, caller))


@router.post(
    f"{_REDEMPTION}/cancel", guard=_HANDLERS, summary="取消兑换", errors=(NotFound, Stale, errors.RedemptionConflict)
)
async def cancel(caller: StaffCaller, redemption_id: str, body: CancelIn) -> StaffRedemptionOut:
    """Call off what has not left yet: points and piece go back."""
    return await _shown(await ending.cancel_by_staff(redemption_id, body.note, caller))


@router.post(
    f"{_REDEMPTION}/return",
    guard=staff(Permission.GIFTS_RETURN),
    summary="退回礼品",
    errors=(NotFound, Stale, ReturnExceedsSold, errors.RedemptionConflict, errors.GiftSpent),
)
async def take_back(caller: StaffCaller, redemption_id: str, body: ReturnIn) -> StaffRedemptionOut:
    """Undo what was handed over, sent or given; the price goes back whole."""
    done = await ending.take_back(redemption_id, body.reason, body.note, body.restock, caller)
    return await _shown(done)


async def _shown(made: Redemption) -> StaffRedemptionOut:
    (shown,) = await views.staff_redemptions([made])
    return shown
