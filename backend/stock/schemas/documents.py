"""Documents, their lines, papers and changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import DocumentKind, DocumentState
from .words import Cursor, Day, FileName, Limit, Note, PlaceId, Qty, QtyOrZero, Sku, SupplierId, UnitFen, Version


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
