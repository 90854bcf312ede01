"""What the calls about reviews and invoices take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.mall.types import UploadAddress

from ..types.after import InvoiceKind, InvoiceState
from .after import LineNo, Note, PageQuery, Pictures, StoreId

# -- reviews


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
    pictures: list[UploadAddress]
    author: str
    at: datetime
    reply: str | None = None
    shown: bool = True


class ReviewsOut(msgspec.Struct):
    """A page of reviews, newest first."""

    items: list[ReviewOut]
    next_cursor: str | None


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


class OwnReviewOut(ReviewOut, kw_only=True):
    """What the member said: of which order and line, and what that is called."""

    name: str


class OwnReviewsOut(msgspec.Struct):
    """A page of what the member said, newest first."""

    items: list[OwnReviewOut]
    next_cursor: str | None


class OwnReviewsQuery(PageQuery):
    """Of which order, or of all."""

    order_id: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


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


class OwnInvoicesQuery(PageQuery):
    """Of which order, or of all."""

    order_id: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class StaffInvoicesQuery(PageQuery):
    """Which store's (a manager's own), in which state."""

    store_id: StoreId | None = None
    status: InvoiceState | None = None


class InvoiceDecisionIn(Body):
    """``issued`` with its number, or ``rejected`` with why."""

    status: Literal["issued", "rejected"]
    number: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    note: Note = ""
