"""Bodies and answers of the calls about stock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import MAX_AMOUNT

from .types import DocumentKind, DocumentState, MovementKind

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
PlaceId = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]
Sku = Annotated[str, Meta(min_length=1, max_length=40)]
Qty = Annotated[int, Meta(ge=1, le=1_000_000)]
QtyOrZero = Annotated[int, Meta(ge=0, le=1_000_000)]
UnitFen = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="每件，人民币分")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
FileName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\"]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
SupplierId = Annotated[str, Meta(min_length=1, max_length=32)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1, description="所见单据的版本；不符则 409 stale")]
Day = Annotated[date, Meta(description="当地日期，含当日")]


class PlaceOut(msgspec.Struct):
    """Where stock lies: a store, or a warehouse that a store or (null) head office keeps."""

    id: str
    name: str
    store_id: str | None
    warehouse: bool
    active: bool


class PlacesOut(msgspec.Struct):
    """All that this caller reaches."""

    items: list[PlaceOut]


class WarehouseIn(Body):
    """A warehouse; its id is none of a store's."""

    id: PlaceId
    name: Name
    store_id: PlaceId | None = None


class LevelsFilter(Body):
    """Which levels of a place: all, what is low, or of what some is short."""

    place_id: PlaceId
    which: Literal["all", "low", "short"] = "all"
    sku: Sku | None = None


class LevelsQuery(LevelsFilter):
    """The same, page by page."""

    cursor: Cursor | None = None
    limit: Limit = 50


class LevelOut(msgspec.Struct):
    """How an article stands at a place; ``average_fen`` is a piece's cost, rounded down."""

    sku: str
    name: str
    on_hand: int
    reserved: int
    available: int
    short: int
    value_fen: int
    average_fen: int
    low_qty: int | None
    low_at: datetime | None


class LevelsOut(msgspec.Struct):
    """A page of levels, by SKU."""

    items: list[LevelOut]
    next_cursor: str | None


class MovementsFilter(Body):
    """The journal of a place in these days, both included."""

    place_id: PlaceId
    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    sku: Sku | None = None


class MovementsQuery(MovementsFilter):
    """The same, page by page."""

    cursor: Cursor | None = None
    limit: Limit = 50


class MovementOut(msgspec.Struct):
    """A line of the journal; ``document`` is the number on paper, else the id of a sale or an order."""

    at: datetime
    sku: str
    version: int
    kind: MovementKind
    document: str
    about: str | None
    qty: int
    short: int
    cost_fen: int
    on_hand_after: int
    short_after: int
    value_after: int
    staff_id: str | None


class MovementsOut(msgspec.Struct):
    """A page of the journal, oldest first."""

    items: list[MovementOut]
    next_cursor: str | None


class ThresholdIn(Body):
    """From how few pieces on an article is low; null: never."""

    sku: Sku
    low_qty: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None


class ThresholdsIn(Body):
    """Thresholds of a place; of an article that is named twice the last counts."""

    place_id: PlaceId
    items: Annotated[list[ThresholdIn], Meta(min_length=1, max_length=1000)]


class ThresholdsOut(msgspec.Struct):
    """How many are set, and of which articles the place keeps no stock."""

    changed: int
    unknown: list[str]


class LineIn(Body):
    """An article of a document, once; ``unit_fen`` is what a piece costs, or is sold for."""

    sku: Sku
    qty: Qty
    unit_fen: UnitFen = 0


Lines = Annotated[list[LineIn], Meta(min_length=1, max_length=500)]


class DocumentIn(Body, kw_only=True):
    """A document to enter; ``other_place_id`` is where a transfer goes. Counts have a call of their own."""

    kind: Literal["purchase_order", "receipt", "purchase_return", "wholesale", "transfer"]
    place_id: PlaceId
    lines: Lines
    other_place_id: PlaceId | None = None
    supplier_id: SupplierId | None = None
    customer: Annotated[str, Meta(max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    note: Note = ""


class DocumentEditIn(Body, kw_only=True):
    """A draft anew; what it says replaces all but kind, place and number."""

    version: Version
    lines: Lines
    supplier_id: SupplierId | None = None
    customer: Annotated[str, Meta(max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    note: Note = ""


class StocktakeIn(Body):
    """A count to begin, of these articles or (null) of all that the place keeps."""

    place_id: PlaceId
    skus: Annotated[list[Sku], Meta(min_length=1, max_length=5000)] | None = None
    note: Note = ""


class CountedIn(Body):
    """So many pieces were found just now."""

    sku: Sku
    qty: Annotated[int, Meta(ge=0, le=1_000_000_000)]


class CountsIn(Body):
    """What was counted; of an article that is named twice the last counts."""

    items: Annotated[list[CountedIn], Meta(min_length=1, max_length=500)]


class CameIn(Body):
    """So many pieces of a line came."""

    line_no: Annotated[int, Meta(ge=1, le=5000)]
    qty: QtyOrZero


class ActionIn(Body):
    """What to do with a document; ``lines`` is what came, for ``receive``."""

    action: Literal["submit", "approve", "reject", "cancel", "close", "post", "ship", "receive"]
    version: Version
    note: Note = ""
    lines: Annotated[list[CameIn], Meta(min_length=1, max_length=500)] | None = None


class LineOut(msgspec.Struct):
    """A line; of a count ``qty`` is what was found, ``book_qty`` what the books said then (null: not counted yet)."""

    line_no: int
    sku: str
    name: str
    qty: int
    unit_fen: int
    amount_fen: int
    done_qty: int
    book_qty: int | None
    cost_fen: int | None


class DocumentHeadOut(msgspec.Struct, kw_only=True):
    """A document without its lines."""

    id: str
    number: str
    kind: DocumentKind
    state: DocumentState
    version: int
    place_id: str
    other_place_id: str | None
    supplier_id: str | None
    customer: str
    about: str | None
    total_fen: int
    note: str
    made_on: date
    created_by: str
    created_at: datetime
    approved_by: str | None
    posted_at: datetime | None


class DocumentOut(DocumentHeadOut, kw_only=True):
    """A document; ``receipt_id`` only in the answer to what came of a purchase order."""

    lines: list[LineOut]
    receipt_id: str | None = None


class DocumentsQuery(Body):
    """Which documents; days of entry, both included."""

    place_id: PlaceId | None = None
    kind: DocumentKind | None = None
    state: DocumentState | None = None
    supplier_id: SupplierId | None = None
    sku: Sku | None = None
    from_on: Day | None = msgspec.field(name="from", default=None)
    to_on: Day | None = msgspec.field(name="to", default=None)
    cursor: Cursor | None = None
    limit: Limit = 20


class DocumentsOut(msgspec.Struct):
    """A page of documents, newest first."""

    items: list[DocumentHeadOut]
    next_cursor: str | None


class ChangeOut(msgspec.Struct):
    """What somebody did to a document."""

    version: int
    at: datetime
    staff_id: str
    action: str
    note: str


class ChangesOut(msgspec.Struct):
    """All of it, oldest first."""

    items: list[ChangeOut]


class AttachmentQuery(Body):
    """What a paper is called."""

    name: FileName = "附件"


class AttachmentOut(msgspec.Struct):
    """A paper of a document."""

    id: str
    name: str
    media_type: str
    size: int
    at: datetime


class AttachmentsOut(msgspec.Struct):
    """All of a document's, oldest first."""

    items: list[AttachmentOut]


class PayablesQuery(Body):
    """Where to go on."""

    cursor: Cursor | None = None
    limit: Limit = 50


class PayableOut(msgspec.Struct):
    """What a supplier is owed: ``received - returned - paid``."""

    supplier_id: str
    name: str
    received_fen: int
    returned_fen: int
    paid_fen: int
    owed_fen: int


class PayablesOut(msgspec.Struct):
    """A page of suppliers, by code."""

    items: list[PayableOut]
    next_cursor: str | None


class PaymentIn(Body):
    """A payment to a supplier; a negative amount takes a mistake back."""

    supplier_id: SupplierId
    amount_fen: Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
    paid_on: Day
    note: Note = ""


class PaymentOut(msgspec.Struct):
    """A payment as it was written down."""

    id: str


class AvailableQuery(Body):
    """Of which articles (SKUs with commas between, at most 100), at which store."""

    store_id: Annotated[str, Meta(min_length=1, max_length=16)]
    skus: Annotated[str, Meta(pattern=r"^[^,\s]{1,40}(,[^,\s]{1,40}){0,99}$(?!\n)")]


class AvailableOut(msgspec.Struct):
    """How many pieces of an article an order may still have."""

    sku: str
    available: int


class AvailablesOut(msgspec.Struct):
    """Of each article that was asked about."""

    items: list[AvailableOut]
