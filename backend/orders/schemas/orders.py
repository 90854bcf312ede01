"""What the mall's calls take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero, Points
from backend.points.types import EarnedLine
from backend.sales.rules.pricing import MOST_GIFT_CARDS

from ..types import DeliveryKind, Freight, OrderState, Promotion, PromotionKind, Step

MOST_LINES = 100
MOST_QTY = 999
MOST_STORES = 5
MOST_COUPONS = 10

StoreId = Annotated[str, Meta(min_length=1, max_length=32)]
Sku = Annotated[str, Meta(min_length=1, max_length=40)]
Qty = Annotated[int, Meta(ge=1, le=MOST_QTY)]
CouponId = Annotated[str, Meta(min_length=1, max_length=40)]
Instant = Annotated[datetime, Meta(tz=True)]


# -- cart


class CartLineIn(Body):
    """How many pieces there are to be in the cart."""

    qty: Qty


class CartLineOut(msgspec.Struct):
    """A line of the cart as it was written."""

    store_id: str
    sku: str
    qty: int


class CartArticleOut(msgspec.Struct):
    """A line of the cart with what is sold of it now: ``on_sale`` false, and no prices, where it is not.

    ``available`` is a hint; null where nobody counts the article.
    """

    sku: str
    qty: int
    on_sale: bool
    product_id: str | None = None
    name: str | None = None
    spec: str | None = None
    picture: str | None = None
    list_fen: int | None = None
    price_fen: int | None = None
    available: int | None = None


class CartStoreOut(msgspec.Struct):
    """What the cart holds from one store."""

    store_id: str
    store_name: str
    lines: list[CartArticleOut]


class CartOut(msgspec.Struct):
    """The whole cart, by store."""

    stores: list[CartStoreOut]


# -- quote and order


class OrderLineIn(Body):
    """So many pieces of an article."""

    sku: Sku
    qty: Qty


class DeliveryIn(Body):
    """How the goods come to the member: what is sent names their address, what is brought to a table its code."""

    kind: DeliveryKind = DeliveryKind.PICKUP
    address_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    spot_code: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class StoreOrderIn(Body):
    """What is bought from one store; ``coupon_ids`` are used on this part alone, in their order."""

    store_id: StoreId
    lines: Annotated[list[OrderLineIn], Meta(min_length=1, max_length=MOST_LINES)]
    delivery: DeliveryIn = DeliveryIn()
    coupon_ids: Annotated[tuple[CouponId, ...], Meta(max_length=MOST_COUPONS)] = ()
    note: Annotated[str, Meta(max_length=200)] = ""


class PayIn(Body):
    """How part of a checkout is paid. One may lack its amount: it takes the rest. ``wechat`` is paid on the phone.

    ``reference`` of a gift card: the id of one that the member has bound, or the token of one that was checked.
    """

    type: Literal["stored", "points", "rebate", "gift_card", "wechat"]
    amount_fen: Fen | None = None
    points: Points | None = None
    reference: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class QuoteIn(Body):
    """A checkout: what would be bought, and how it would be paid (by default all of it by stored value)."""

    orders: Annotated[list[StoreOrderIn], Meta(min_length=1, max_length=MOST_STORES)]
    tenders: Annotated[list[PayIn], Meta(max_length=4 + MOST_GIFT_CARDS)] | None = None


class PlaceIn(QuoteIn, kw_only=True):
    """A checkout that is placed; ``payable_fen`` is what the quote said that all of it costs.

    ``due_fen`` is what the quote said that coupons leave of it: a coupon that was used elsewhere since takes less.
    ``pin`` is the payment PIN, where the quote said that it is required.
    """

    SECRETS: ClassVar = ("pin",)

    payable_fen: FenOrZero
    due_fen: FenOrZero | None = None
    pin: Annotated[str, Meta(min_length=1, max_length=12)] | None = None


class LineOut(msgspec.Struct):
    """A line: ``payable_fen`` is what its pieces cost before coupons; ``steps`` lead there from the list price."""

    line_no: int
    sku: str
    qty: int
    product_id: str
    name: str
    spec: str
    picture: str | None
    list_fen: int
    payable_fen: int
    steps: list[Step]


class TenderOut(msgspec.Struct, omit_defaults=True):
    """A tender with its amount; ``reference`` is the id of a gift card."""

    type: str
    amount_fen: int
    points: int | None = None
    coupon_id: str | None = None
    reference: str | None = None


class OfferedCoupon(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A coupon on this part: what it takes off, or would; ``used`` where it is named; ``detail`` why it cannot be."""

    id: str
    title: str
    used: bool
    usable: bool
    amount_fen: int
    code: str | None = None
    detail: str | None = None


class OfferedCard(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A gift card that the member may pay with: what is on it, and what it pays; ``code`` why it pays nothing now."""

    id: str
    title: str
    number_masked: str
    balance_fen: int
    amount_fen: int
    usable: bool
    code: str | None = None


class QuoteOut(msgspec.Struct, kw_only=True):
    """What one store's part costs: ``payable_fen`` = ``total_fen`` − ``discount_fen`` = the sum of the tenders.

    ``earned`` says which rules give each line its points, ``freight`` how ``freight_fen`` came about, where goods are
    sent. ``best_coupon_ids`` take most off together, those that are named among them: ``best_exact`` where it is proven
    that no set is better, ``best_most`` where at least none takes more. Neither they nor ``coupons`` are told with a
    refusal.
    """

    store_id: str
    lines: list[LineOut]
    freight_fen: int
    total_fen: int
    discount_fen: int
    payable_fen: int
    tenders: list[TenderOut]
    points_earned: int
    earned: list[EarnedLine] = []
    freight: Freight | None = None
    coupons: list[OfferedCoupon] = []
    best_coupon_ids: list[str] = []
    best_exact: bool | None = None
    best_most: bool | None = None


class QuotesOut(msgspec.Struct):
    """What a checkout costs; ``payable_fen`` is the sum over the stores, coupons among what pays it.

    ``due_fen`` is what coupons leave of it. ``point_value_bp``: what a point pays, in 1/10000 fen. ``gift_cards`` are
    the member's own and those that are named, ``pin_required`` says that the payment PIN must come with the order; with
    a refusal neither is told.
    """

    payable_fen: int
    due_fen: int
    orders: list[QuoteOut]
    point_value_bp: int
    gift_cards: list[OfferedCard] = []
    pin_required: bool = False


class OrderOut(msgspec.Struct, kw_only=True):
    """An order as it stands; ``pay_until`` is when one that waits for its payment is closed, ``spot`` its table."""

    id: str
    checkout_id: str
    store_id: str
    status: OrderState
    delivery: DeliveryKind
    lines: list[LineOut]
    freight_fen: int
    total_fen: int
    discount_fen: int
    payable_fen: int
    refunded_fen: int
    tenders: list[TenderOut]
    points_earned: int
    note: str
    placed_at: datetime
    pay_until: datetime | None
    paid_at: datetime | None
    ended_at: datetime | None
    spot: str | None


class PaymentOut(msgspec.Struct, kw_only=True):
    """What WeChat is to be paid until when; ``pay_params`` are ready for ``wx.requestPayment``."""

    id: str
    pay_fen: int
    pay_until: datetime
    pay_params: dict[str, str]


class PlacedOut(msgspec.Struct):
    """The orders of a checkout, and what WeChat is to be paid for all of them; null where nothing is."""

    checkout_id: str
    orders: list[OrderOut]
    payment: PaymentOut | None = None


class OrderBrief(msgspec.Struct, kw_only=True):
    """An order in a list; ``pay_until`` and ``spot`` as for the order. ``due_fen`` is what its coupons left to pay."""

    id: str
    store_id: str
    status: OrderState
    delivery: DeliveryKind
    payable_fen: int
    due_fen: int
    pieces: int
    lines: list[LineOut]
    placed_at: datetime
    pay_until: datetime | None
    spot: str | None


class OrdersOut(msgspec.Struct):
    """A page of orders, newest first."""

    items: list[OrderBrief]
    next_cursor: str | None


class OrdersQuery(Body):
    """Which orders to list."""

    status: OrderState | None = None
    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


# -- promotions


class TierIn(Body):
    """From so many fen and pieces on, ``off_fen`` (of an activity: of each piece) or ``off_bp`` is taken off."""

    from_fen: FenOrZero = 0
    from_pieces: Annotated[int, Meta(ge=0, le=10_000)] = 0
    off_fen: FenOrZero = 0
    off_bp: Annotated[int, Meta(ge=0, le=10_000)] = 0


_Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=200)]


class PromotionScope(Body):
    """Where, on what and for whom; an empty field does not limit."""

    stores: _Names = ()
    categories: _Names = ()
    brands: _Names = ()
    skus: _Names = ()
    skus_excluded: _Names = ()
    levels: _Names = ()


class PromotionIn(Body, kw_only=True):
    """An activity (one tier without a threshold) or a threshold offer."""

    kind: PromotionKind
    title: Annotated[str, Meta(min_length=1, max_length=40)]
    scope: PromotionScope = PromotionScope()
    tiers: Annotated[tuple[TierIn, ...], Meta(min_length=1, max_length=10)]
    each: bool = False
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    starts_at: Instant
    ends_at: Instant
    active: bool = True


class PromotionsOut(msgspec.Struct):
    """Promotions, newest first."""

    items: list[Promotion]
