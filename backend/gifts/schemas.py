"""Bodies and answers of the gift catalogue's calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero

from .types import GiftKind, GiftState, RedemptionState, ReturnReason, Way

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
GiftNote = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Codes = Annotated[tuple[Code, ...], Meta(max_length=200)]
GiftId = Annotated[str, Meta(min_length=1, max_length=16)]
StoreId = Annotated[str, Meta(min_length=1, max_length=16)]
Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Price = Annotated[int, Meta(ge=1, le=100_000_000, description="积分；整数")]
MOST_AT_ONCE = 20
"""Pieces of a gift in one redemption."""

Quantity = Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)]
Days = Annotated[int, Meta(ge=1, le=3650)]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
PickupCode = Annotated[str, Meta(min_length=1, max_length=32, description="G 加十位数字")]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]


class GiftIn(Body, kw_only=True):
    """A gift: goods have ``sku`` and a way (``pickup``, ``ship_from``), a coupon ``template_id``, value ``stored_fen``.

    Limits that are not said are none. ``stores``: where goods are fetched; none named is every store. Changing a gift,
    ``version`` is the one that was seen.
    """

    kind: GiftKind
    title: Title
    note: GiftNote = ""
    picture: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")] | None = None
    points: Price
    pay_fen: FenOrZero = 0
    sku: Code | None = None
    template_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    stored_fen: Fen | None = None
    stored_days: Days | None = None
    pickup: bool = False
    stores: Codes = ()
    ship_from: Code | None = None
    pickup_days: Annotated[int, Meta(ge=1, le=365)] = 7
    per_member: Count | None = None
    per_member_day: Count | None = None
    total: Count | None = None
    day_total: Count | None = None
    levels: Codes = ()
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0
    version: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0


class StaffGiftOut(msgspec.Struct, kw_only=True):
    """A gift as head office wrote it; ``taken`` are out or promised, ``left`` null where there is no total."""

    id: str
    kind: GiftKind
    state: GiftState
    title: str
    note: str
    picture: str | None
    picture_url: str | None
    points: int
    pay_fen: int
    sku: str | None
    template_id: str | None
    stored_fen: int | None
    stored_days: int | None
    pickup: bool
    stores: tuple[str, ...]
    ship_from: str | None
    pickup_days: int
    per_member: int | None
    per_member_day: int | None
    total: int | None
    day_total: int | None
    levels: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    sort: int
    taken: int
    left: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class GiftsQuery(Body):
    """Which gifts, and where to go on."""

    state: GiftState | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class StaffGiftsOut(msgspec.Struct):
    """A page of gifts, newest first; ``next_cursor`` is null on the last one."""

    items: list[StaffGiftOut]
    next_cursor: str | None


# -- what a member sees


class GiftOut(msgspec.Struct, kw_only=True):
    """A gift as a member sees it; ``why_not`` is null where this member may redeem it now.

    ``left``: of the whole gift or of today, whichever is less; null where nothing limits. ``mine_left`` counts what
    this member may still have of it, ``most`` what may be redeemed at once now, points included.
    """

    id: str
    kind: GiftKind
    title: str
    note: str
    picture_url: str | None
    points: int
    pay_fen: int
    stored_fen: int | None
    stored_days: int | None
    ways: tuple[Way, ...]
    pickup_days: int
    left: int | None
    mine_left: int | None
    most: int
    level_names: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    why_not: str | None


class GiftStoreOut(msgspec.Struct):
    """A store where goods are fetched, and whether some lie there now."""

    store_id: str
    name: str
    in_stock: bool


class GiftDetailOut(GiftOut, kw_only=True):
    """The same with where it is fetched."""

    stores: list[GiftStoreOut]


class GiftsOut(msgspec.Struct):
    """What is offered, in the order to show it, and what the member may spend."""

    items: list[GiftOut]
    points: int


class RedeemIn(Body, kw_only=True):
    """Some pieces of a gift; goods say ``way`` where there are two, and the store or the address.

    ``points`` and ``pay_fen`` are the price that the member was shown, for all pieces; what costs something else by now
    is refused then. ``pin`` where more is taken than goes without.
    """

    SECRETS = ("pin",)

    gift_id: GiftId
    quantity: Quantity = 1
    points: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE * 100_000_000)] | None = None
    pay_fen: Annotated[int, Meta(ge=0, le=MOST_AT_ONCE * 10**11)] | None = None
    way: Way | None = None
    store_id: StoreId | None = None
    address_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")] | None = None


class RedemptionOut(msgspec.Struct, kw_only=True):
    """A redemption as its member sees it; ``points`` and ``pay_fen`` are for all its pieces.

    ``code`` while it waits at its store, to be shown as QR and text; ``coupon_id`` is the first one's.
    """

    id: str
    gift_id: str
    kind: GiftKind
    way: Way
    status: RedemptionState
    title: str
    quantity: int
    points: int
    pay_fen: int
    store: str | None
    code: str | None
    due_on: date | None
    coupon_id: str | None
    carrier: str | None
    tracking_no: str | None
    at: datetime
    out_at: datetime | None
    ended_at: datetime | None


class PageQuery(Body):
    """Which page."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class RedemptionsOut(msgspec.Struct):
    """A page of redemptions, newest first; ``next_cursor`` is null on the last one."""

    items: list[RedemptionOut]
    next_cursor: str | None


# -- what staff and tills see


class StaffRedemptionsQuery(PageQuery, kw_only=True):
    """Which redemptions: of one store (a manager's own), gift or member, in one state, or all that wait to leave."""

    store_id: StoreId | None = None
    gift_id: GiftId | None = None
    member_id: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    status: RedemptionState | None = None
    open_only: bool = False


class StaffRedemptionOut(msgspec.Struct, kw_only=True):
    """A redemption as staff see it: never its code; the member by number and masked name."""

    id: str
    gift_id: str
    kind: GiftKind
    way: Way
    status: RedemptionState
    title: str
    quantity: int
    points: int
    pay_fen: int
    member_no: str
    member_name_masked: str
    sku: str | None
    store_id: str | None
    place_id: str | None
    due_on: date | None
    carrier: str | None
    tracking_no: str | None
    terminal_id: str | None
    staff_id: str | None
    reason: str | None
    note: str
    cost_fen: int
    at: datetime
    out_at: datetime | None
    ended_at: datetime | None


class StaffRedemptionsOut(msgspec.Struct):
    """A page of redemptions, newest first; ``next_cursor`` is null on the last one."""

    items: list[StaffRedemptionOut]
    next_cursor: str | None


class ParcelReceiverOut(msgspec.Struct, kw_only=True):
    """To whom a gift is sent; whole while it is to be sent, which is written down."""

    name: str
    phone: str
    region: str
    province: str
    city: str
    district: str
    street: str


class PickupIn(Body):
    """The code that a member shows or says."""

    code: PickupCode


class StorePickupIn(Body, kw_only=True):
    """The same in the console; head office says at which store."""

    code: PickupCode
    store_id: StoreId | None = None


class TillGiftOut(msgspec.Struct, kw_only=True):
    """What waits at this store under a code, ``quantity`` pieces of it, for whoever hands it over."""

    id: str
    title: str
    quantity: int
    sku: str | None
    status: RedemptionState
    member_name_masked: str
    due_on: date | None
    handed_over_at: datetime | None


class SendIn(Body, kw_only=True):
    """The parcel that a gift left with."""

    carrier: Annotated[str, Meta(pattern=r"^[0-9A-Za-z_]{1,32}$(?!\n)", description="快递公司编码，如 SF")]
    tracking_no: Annotated[str, Meta(pattern=r"^[0-9A-Za-z\-]{4,40}$(?!\n)")]


class CancelIn(Body):
    """Why the store calls a redemption off."""

    note: Text


class ReturnIn(Body, kw_only=True):
    """Why something comes back, and whether its piece lies on the shelf again."""

    reason: ReturnReason
    note: Text
    restock: bool = True


# -- the report


class GiftReportQuery(Body):
    """Which days, both included, and of which store (a manager's own); without one the chain."""

    from_on: Annotated[date, Meta()] = msgspec.field(name="from")
    to_on: Annotated[date, Meta()] = msgspec.field(name="to")
    store_id: StoreId | None = None


class GiftReportFileQuery(GiftReportQuery):
    """And as what."""

    format: Literal["csv", "xlsx"] = "csv"


class GiftReportChartQuery(GiftReportQuery):
    """And as what."""

    format: Literal["svg", "png"] = "svg"
