"""How gifts and redemptions look to members, staff and tills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.mall.queries import picture_url
from backend.members import queries as members
from backend.members.types import Level
from backend.stock import queries as stock
from backend.stock.types import Piece

from . import codes, queries, rules
from .schemas import (
    MOST_AT_ONCE,
    GiftDetailOut,
    GiftOut,
    GiftStoreOut,
    RedemptionOut,
    StaffGiftOut,
    StaffRedemptionOut,
    TillGiftOut,
)
from .types import Gift, Redemption, RedemptionState


class Viewer(msgspec.Struct, frozen=True):
    """Who looks at the catalogue: their level, what they may spend, and the levels there are."""

    member_id: int
    level: str
    points: int
    levels: Mapping[str, Level]
    now: datetime
    on: date


async def gifts(found: Sequence[Gift], viewer: Viewer) -> list[GiftOut]:
    """Gifts as a member sees them; what they may have is a hint, redeeming decides."""
    today = await queries.taken_on([gift.id for gift in found if gift.day_total is not None], viewer.on)
    marks = [rules.member_mark(gift.id) for gift in found] + [rules.day_mark(gift.id, viewer.on) for gift in found]
    had = await ledger.guard_values(viewer.member_id, marks) if marks else {}
    return [_gift(gift, viewer, today.get(gift.id, 0), had) for gift in found]


def _gift(gift: Gift, viewer: Viewer, today: int, had: Mapping[str, int]) -> GiftOut:
    left = _least(gift.left, None if gift.day_total is None else max(0, gift.day_total - today))
    mine = _least(
        _rest(gift.per_member, had.get(rules.member_mark(gift.id), 0)),
        _rest(gift.per_member_day, had.get(rules.day_mark(gift.id, viewer.on), 0)),
    )
    return GiftOut(
        id=gift.id,
        kind=gift.kind,
        title=gift.title,
        note=gift.note,
        picture_url=picture_url(gift.picture),
        points=gift.points,
        pay_fen=gift.pay_fen,
        stored_fen=gift.stored_fen,
        stored_days=gift.stored_days,
        ways=rules.ways_of(gift),
        pickup_days=gift.pickup_days,
        left=left,
        mine_left=mine,
        most=_most(gift, viewer, left, mine),
        level_names=[viewer.levels[code].name for code in gift.levels if code in viewer.levels],
        starts_at=gift.starts_at,
        ends_at=gift.ends_at,
        why_not=_why_not(gift, viewer, left, mine),
    )


def _least(*counts: int | None) -> int | None:
    said = [count for count in counts if count is not None]
    return min(said) if said else None


def _rest(most: int | None, had: int) -> int | None:
    return None if most is None else max(0, most - had)


def _most(gift: Gift, viewer: Viewer, left: int | None, mine: int | None) -> int:
    """How many this member may redeem at once, as things stand."""
    if _why_not(gift, viewer, left, mine) is not None:
        return 0
    return _least(MOST_AT_ONCE, left, mine, viewer.points // gift.points) or 0


def _why_not(gift: Gift, viewer: Viewer, left: int | None, mine: int | None) -> str | None:
    try:
        rules.check_redeemable(gift, level=viewer.level, now=viewer.now)
    except DomainError as refused:
        return str(refused.extra.get("reason", "sold_out"))
    if left == 0:
        return "sold_out"
    if mine == 0:
        return "limit"
    return "points" if viewer.points < gift.points else None


async def detail(gift: Gift, viewer: Viewer) -> GiftDetailOut:
    """A gift with the stores where it is fetched, those that have some first."""
    (shown,) = await gifts([gift], viewer)
    stores: list[GiftStoreOut] = []
    if gift.pickup and gift.sku is not None:
        offered = [one for one in await auth.list_stores() if not gift.stores or one.id in gift.stores]
        there = await stock.find_available(Piece(one.id, gift.sku, 1) for one in offered)
        stores = [GiftStoreOut(one.id, one.name, there[one.id, gift.sku] > 0) for one in offered]
    fields = {name: getattr(shown, name) for name in GiftOut.__struct_fields__}
    return GiftDetailOut(**fields, stores=sorted(stores, key=lambda one: (not one.in_stock, one.store_id)))


def staff_gift(gift: Gift) -> StaffGiftOut:
    """A gift as head office wrote it."""
    fields = msgspec.structs.asdict(gift)
    return StaffGiftOut(**fields, left=gift.left, picture_url=picture_url(gift.picture))


async def redemptions(found: Sequence[Redemption]) -> list[RedemptionOut]:
    """Redemptions as their member sees them."""
    names = {store.id: store.name for store in await auth.list_stores()} if any(r.store_id for r in found) else {}
    return [
        RedemptionOut(
            id=one.id,
            gift_id=one.gift_id,
            kind=one.kind,
            way=one.way,
            status=one.state,
            title=one.title,
            quantity=one.quantity,
            points=one.points,
            pay_fen=one.pay_fen,
            store=names.get(one.store_id or "", one.store_id),
            code=codes.code_of(one.id) if one.state is RedemptionState.WAITING else None,
            due_on=one.due_on,
            coupon_id=one.result,
            carrier=one.carrier,
            tracking_no=one.tracking_no,
            at=one.at,
            out_at=one.out_at,
            ended_at=one.ended_at,
        )
        for one in found
    ]


async def staff_redemptions(found: Sequence[Redemption]) -> list[StaffRedemptionOut]:
    """Redemptions as staff see them."""
    named = await members.list_masked({one.member_id for one in found})
    return [
        StaffRedemptionOut(
            id=one.id,
            gift_id=one.gift_id,
            kind=one.kind,
            way=one.way,
            status=one.state,
            title=one.title,
            quantity=one.quantity,
            points=one.points,
            pay_fen=one.pay_fen,
            member_no=named[one.member_id].member_no if one.member_id in named else "",
            member_name_masked=named[one.member_id].name_masked if one.member_id in named else "",
            sku=one.sku,
            store_id=one.store_id,
            place_id=one.place_id,
            due_on=one.due_on,
            carrier=one.carrier,
            tracking_no=one.tracking_no,
            terminal_id=one.terminal_id,
            staff_id=str(one.staff_id) if one.staff_id is not None else None,
            reason=one.reason,
            note=one.note,
            cost_fen=one.cost_fen,
            at=one.at,
            out_at=one.out_at,
            ended_at=one.ended_at,
        )
        for one in found
    ]


async def till_gift(found: Redemption) -> TillGiftOut:
    """What waits under a code, for whoever hands it over."""
    named = await members.list_masked({found.member_id})
    return TillGiftOut(
        id=found.id,
        title=found.title,
        quantity=found.quantity,
        sku=found.sku,
        status=found.state,
        member_name_masked=named[found.member_id].name_masked if found.member_id in named else "",
        due_on=found.due_on,
        handed_over_at=found.out_at,
    )
