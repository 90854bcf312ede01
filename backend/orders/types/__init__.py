"""Orders, their lines, and what a price is made of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from backend.coupons.types import BasketLine, Scope
from backend.sales.rules.settling import Priced
from backend.stock.types import Piece

from .spots import Spot


class OrderState(StrEnum):
    """The life of an order; refunds are documents of their own."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    SHIPPED = "shipped"
    READY_FOR_PICKUP = "ready_for_pickup"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class DeliveryKind(StrEnum):
    """How goods come to the member: fetched at the store, sent to an address, or brought to where they sit in it."""

    PICKUP = "pickup"
    EXPRESS = "express"
    SPOT = "spot"


class StepKind(StrEnum):
    """What changed a price, in the order in which it happens."""

    ACTIVITY = "activity"
    TIMED = "timed"
    LEVEL = "level"
    OFFER = "offer"
    COUPON = "coupon"


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that took ``off_fen`` off a line; ``ref`` says which activity, offer or coupon."""

    kind: StepKind
    title: str
    off_fen: int
    ref: str = ""


class Want(msgspec.Struct, frozen=True):
    """So many pieces of an article."""

    sku: str
    qty: int


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was ordered. ``payable_fen`` is what its pieces cost before coupons, ``list_fen`` a piece's list
    price; ``steps`` lead from one to the other."""

    line_no: int
    sku: str
    qty: int
    product_id: str
    name: str
    spec: str
    picture: str | None
    list_fen: int
    payable_fen: int
    weight_g: int
    steps: tuple[Step, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands. ``checkout_id`` is that of the first order that was placed with it.

    ``payment_id`` is the payment of WeChat's that it waits for or was paid by, ``pay_until`` until when; None where the
    member's value paid it. ``spot_name`` is the table or shelf that it is brought to, as it was called then.
    """

    member_id: int
    id: str
    store_id: str
    state: OrderState
    checkout_id: str
    delivery: DeliveryKind
    payable_fen: int
    note: str
    placed_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    payment_id: str | None = None
    pay_until: datetime | None = None
    spot_id: str | None = None
    spot_name: str | None = None
    lines: tuple[OrderLine, ...] = ()


class CartLine(msgspec.Struct, frozen=True):
    """So many pieces of an article that a member wants from a store."""

    store_id: str
    sku: str
    qty: int


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Whom goods are sent to, and where; ``region`` is the code of the district. Personal: shows nothing of itself."""

    name: str
    phone: str
    region: str
    province: str
    city: str
    district: str
    street: str

    def __repr__(self) -> str:
        return "Receiver(…)"


class Address(msgspec.Struct, frozen=True):
    """An entry of a member's address book; one of them is the one that is offered first."""

    id: str
    receiver: Receiver
    is_default: bool


class DeliveryRule(msgspec.Struct, frozen=True, kw_only=True):
    """What sending costs from some stores (none named: all) to some regions (none named: everywhere).

    Regions are codes of two (province), four (city) or six digits (district). A first weight has its price, and each
    further weight that is begun; from ``free_from_fen`` of goods on nothing is paid.
    """

    id: str
    title: str
    stores: tuple[str, ...]
    regions: tuple[str, ...]
    regions_excluded: tuple[str, ...]
    first_g: int
    first_fen: int
    further_g: int
    further_fen: int
    free_from_fen: int | None
    priority: int
    active: bool


class Freight(msgspec.Struct, frozen=True, kw_only=True):
    """What sending an order costs before shipping coupons, by which rule; ``free``: it holds goods for enough."""

    rule_id: str
    title: str
    weight_g: int
    fee_fen: int
    free: bool


class Sending(msgspec.Struct, frozen=True):
    """To whom a part of a checkout is sent, and at what price."""

    receiver: Receiver
    freight: Freight


class Part(msgspec.Struct, frozen=True):
    """One store's part of a checkout, priced: ``lines`` with their steps, ``priced`` with what pays them.

    ``pieces`` are what stock must give; articles that nobody counts are not among them. ``basket`` is what coupons met.
    ``sending`` and ``spot`` are None where the member fetches it.
    """

    store_id: str
    delivery: DeliveryKind
    note: str
    lines: tuple[OrderLine, ...]
    priced: Priced
    pieces: tuple[Piece, ...]
    basket: tuple[BasketLine, ...]
    sending: Sending | None = None
    spot: Spot | None = None


class PspPayment(msgspec.Struct, frozen=True):
    """What WeChat Pay took for a checkout: its number there, and all of it together."""

    out_trade_no: str
    total_fen: int


class Owed(msgspec.Struct, frozen=True):
    """What of a refund goes back through WeChat, and how often it was asked for."""

    psp_fen: int
    out_trade_no: str
    total_fen: int
    tries: int = 0


class PaymentState(StrEnum):
    """How WeChat's part of a checkout stands. ``refunding``: paid after it was closed, on the way back."""

    PENDING = "pending"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class PaymentBody(msgspec.Struct, frozen=True):
    """What was agreed when a payment was opened: what is not paid at ``pay_until`` is closed."""

    pay_fen: int
    orders: tuple[str, ...]
    pay_until: datetime


class PaymentProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a payment; ``tries`` counts what the clock asked of WeChat."""

    pay_params: dict[str, str] | None = None
    transaction_id: str | None = None
    tries: int = 0


class PromotionKind(StrEnum):
    """What the mall takes off by itself: ``activity`` off each piece, ``offer`` off lines that reach a threshold."""

    ACTIVITY = "activity"
    OFFER = "offer"


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """From so many fen and pieces on, ``off_fen`` (of an activity: of each piece) and ``off_bp`` are taken off."""

    from_fen: int = 0
    from_pieces: int = 0
    off_fen: int = 0
    off_bp: int = 0


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """An activity (one tier, no threshold) or an offer; ``each``: its tier counts as often as reached."""

    id: str
    kind: PromotionKind
    title: str
    scope: Scope
    tiers: tuple[Tier, ...]
    each: bool
    priority: int
    starts_at: datetime
    ends_at: datetime
    active: bool
