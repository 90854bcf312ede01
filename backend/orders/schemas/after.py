"""What the calls about paid orders take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen
from backend.sales.types import Refund

from ..types import (
    AfterSaleKind,
    AfterSaleState,
    DeliveryKind,
    Fault,
    InvoiceKind,
    InvoiceState,
    NoticeState,
    OrderState,
    ReceivedBy,
)
from .delivery import ReceiverOut

MOST_LINES = 100
Carrier = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_]{1,32}$(?!\n)", description="微信快递公司编码，如 SF、YTO、ZTO")]
TrackingNo = Annotated[str, Meta(pattern=r"^[0-9A-Za-z\-]{4,64}$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Note = Annotated[str, Meta(max_length=200)]
LineNo = Annotated[int, Meta(ge=1, le=MOST_LINES)]
Pieces = Annotated[int, Meta(ge=1, le=999)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
StoreId = Annotated[str, Meta(min_length=1, max_length=32)]


class PiecesIn(Body):
    """So many pieces of a line."""

    line_no: LineNo
    qty: Pieces


Lines = Annotated[list[PiecesIn], Meta(min_length=1, max_length=MOST_LINES)]


# -- sending and receiving


class ParcelIn(Body):
    """A parcel that left; without ``lines`` all that is left to send is in it."""

    carrier: Carrier
    tracking_no: TrackingNo
    lines: Lines | None = None


class ParcelOut(msgspec.Struct):
    """A parcel on its way."""

    carrier: str
    tracking_no: str
    lines: list[PiecesOut]
    sent_at: datetime


class PiecesOut(msgspec.Struct):
    """So many pieces of a line."""

    line_no: int
    qty: int


class PickupOut(msgspec.Struct, omit_defaults=True):
    """How an order waits at its store: ``code`` fetches it, and is gone once it was fetched."""

    ready_at: datetime
    code: str | None = None
    handed_at: datetime | None = None


class DeliveryOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far an order is: its parcels, its pick-up, and when the clock takes the next step.

    ``receiver`` is whom it is sent to: whole for its member; for staff while it is to be sent, masked otherwise.
    """

    order_id: str
    status: OrderState
    parcels: list[ParcelOut] = []
    pickup: PickupOut | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    received_by: ReceivedBy | None = None
    receives_itself_at: datetime | None = None
    closes_at: datetime | None = None
    receiver: ReceiverOut | None = None


# -- pick-up at the till


class PickupIn(Body):
    """The code that a member shows or says; blanks and dashes are left out."""

    code: Annotated[str, Meta(min_length=1, max_length=24)]


class PickupLineOut(msgspec.Struct):
    """What is to be handed over; ``qty`` without what was given back before."""

    line_no: int
    sku: str
    name: str
    spec: str
    qty: int


class TillPickupOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order that waits in this store, or was handed over (``handed_at``)."""

    order_id: str
    status: OrderState
    member_name_masked: str
    note: str
    ready_at: datetime
    lines: list[PickupLineOut]
    handed_at: datetime | None = None


# -- after-sales


class AfterSaleIn(Body):
    """What is asked for pieces of an order; ``amount_fen``: a smaller amount than they cost."""

    kind: AfterSaleKind
    lines: Lines
    reason: Reason
    fault: Fault = Fault.MEMBER
    amount_fen: Fen | None = None


class SendBackIn(Body):
    """How the goods come back."""

    carrier: Carrier
    tracking_no: TrackingNo


class DecisionIn(Body):
    """Staff's word to a request; ``amount_fen``: a smaller amount than its pieces cost."""

    amount_fen: Fen | None = None
    note: Note = ""


class RejectIn(Body):
    """Why a request is refused; the member reads it."""

    note: Reason


class GoodsIn(Body):
    """Goods that came back; ``restock`` false where they cannot be sold again."""

    restock: bool = True
    note: Note = ""


class ExchangeIn(Body):
    """How the other pieces travel."""

    carrier: Carrier
    tracking_no: TrackingNo
    note: Note = ""


class StageOut(msgspec.Struct):
    """A step that a request took, by ``staff`` or ``member``."""

    step: str
    by: Literal["staff", "member"]
    note: str
    at: datetime


class AfterSaleOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request as it stands. ``refund_status``: ``refunding`` while WeChat owes its part, then ``posted``."""

    id: str
    order_id: str
    store_id: str
    kind: AfterSaleKind
    status: AfterSaleState
    fault: Fault
    reason: str
    lines: list[PiecesOut]
    asked_at: datetime
    updated_at: datetime
    amount_fen: int | None = None
    agreed_fen: int | None = None
    carrier: str | None = None
    tracking_no: str | None = None
    restock: bool = True
    refund: Refund | None = None
    refund_status: str | None = None
    stages: list[StageOut] = []


class AfterSalesOut(msgspec.Struct):
    """A page of requests, newest first."""

    items: list[AfterSaleOut]
    next_cursor: str | None


class AfterSalesQuery(Body):
    """Which of the member's requests to list."""

    status: AfterSaleState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class StaffAfterSalesQuery(AfterSalesQuery):
    """Which store's (a manager's own)."""

    store_id: StoreId | None = None


# -- reviews


Pictures = Annotated[list[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]], Meta(max_length=6)]


class ReviewIn(Body):
    """What a member says of a line."""

    line_no: LineNo
    stars: Annotated[int, Meta(ge=1, le=5)]
    text: Annotated[str, Meta(max_length=500)] = ""
    pictures: Pictures = msgspec.field(default_factory=list)
    anonymous: bool = False


class ReviewOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A review; ``author`` is a masked name, or empty."""

    id: str
    order_id: str | None = None
    line_no: int | None = None
    product_id: str
    spec: str
    stars: int
    text: str
    pictures: list[str]
    author: str
    at: datetime
    reply: str | None = None
    shown: bool = True


class ReviewsOut(msgspec.Struct):
    """A page of reviews, newest first."""

    items: list[ReviewOut]
    next_cursor: str | None


class PageQuery(Body):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 20


class ProductReviewsQuery(PageQuery, kw_only=True):
    """At which store the product is looked at."""

    store_id: StoreId


class StaffReviewsQuery(PageQuery):
    """Which store's (a manager's own)."""

    store_id: StoreId | None = None


class ReviewChangeIn(Body):
    """Hide or show a review, or answer it."""

    shown: bool | None = None
    reply: Annotated[str, Meta(max_length=500)] | None = None


# -- invoices

Title = Annotated[str, Meta(min_length=1, max_length=100)]
TaxNo = Annotated[str, Meta(pattern=r"^[0-9A-Z]{15,20}$(?!\n)", description="统一社会信用代码或纳税人识别号")]


class InvoiceIn(Body):
    """Whom the invoice is for (抬头); a company names its tax number."""

    kind: InvoiceKind
    title: Title
    tax_no: TaxNo | None = None
    email: Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,128}$(?!\n)")] | None = None


class InvoiceOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An invoice request as it stands; ``amount_fen`` is what money paid of the order, refunds left out."""

    order_id: str
    store_id: str
    kind: InvoiceKind
    status: InvoiceState
    title: str
    amount_fen: int
    asked_at: datetime
    tax_no: str | None = None
    email: str | None = None
    number: str | None = None
    note: str = ""
    decided_at: datetime | None = None


class InvoicesOut(msgspec.Struct):
    """A page of invoice requests, newest first."""

    items: list[InvoiceOut]
    next_cursor: str | None


class StaffInvoicesQuery(PageQuery):
    """Which store's (a manager's own), in which state."""

    store_id: StoreId | None = None
    status: InvoiceState | None = None


class InvoiceDecisionIn(Body):
    """``issued`` with its number, or ``rejected`` with why."""

    status: Literal["issued", "rejected"]
    number: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    note: Note = ""


# -- staff's orders


class StaffOrdersQuery(PageQuery):
    """Which store's (a manager's own), in which state."""

    store_id: StoreId | None = None
    status: OrderState | None = None


class NoticeOut(msgspec.Struct, omit_defaults=True):
    """Whether WeChat was told how the goods travel; ``errcode`` is what it answered last."""

    status: NoticeState
    tries: int
    errcode: int | None = None


class StaffLineOut(msgspec.Struct):
    """A line of an order, for whoever packs it."""

    line_no: int
    sku: str
    name: str
    spec: str
    qty: int
    payable_fen: int


class StaffOrderOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order as staff see it; the member by their number and masked name."""

    id: str
    store_id: str
    status: OrderState
    delivery: DeliveryKind
    member_no: str
    member_name_masked: str
    lines: list[StaffLineOut]
    payable_fen: int
    refunded_fen: int
    note: str
    placed_at: datetime
    paid_at: datetime | None = None
    ended_at: datetime | None = None


class StaffOrderDetail(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The same with its delivery, its requests, and what WeChat was told."""

    order: StaffOrderOut
    delivery: DeliveryOut
    after_sales: list[AfterSaleOut] = []
    notice: NoticeOut | None = None


class StaffOrdersOut(msgspec.Struct):
    """A page of orders, newest first."""

    items: list[StaffOrderOut]
    next_cursor: str | None


# -- reports

Day = Annotated[date, Meta(description="本地日期")]


class ReportQuery(Body):
    """Which days, both included, local dates of the chain; which store's (a manager's own)."""

    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    store_id: StoreId | None = None
    format: Literal["csv", "xlsx"] = "csv"


class OrderExportQuery(ReportQuery):
    """And in which state."""

    status: OrderState | None = None
