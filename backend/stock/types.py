"""What the layers above know of stock."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class MovementKind(StrEnum):
    """Why goods moved."""

    RECEIPT = "receipt"
    SALE = "sale"
    SALE_RETURN = "sale_return"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    STOCKTAKE = "stocktake"
    PURCHASE_RETURN = "purchase_return"
    WHOLESALE = "wholesale"
    WHOLESALE_RETURN = "wholesale_return"
    GIFT = "gift"
    """A piece that a member redeemed points for left."""
    GIFT_RETURN = "gift_return"
    SHORTAGE = "shortage"
    """What a till had sold before the books knew that it had come: it leaves with the receipt."""


class Piece(msgspec.Struct, frozen=True):
    """So many pieces of an article at a place."""

    place_id: str
    sku: str
    qty: int


class Wish(msgspec.Struct, frozen=True):
    """What an order wants, all of it or nothing; promised ``until`` then, or (None) sold at once."""

    order_id: str
    pieces: tuple[Piece, ...]
    until: datetime | None


class Receipt(msgspec.Struct, frozen=True):
    """Goods that came to a place; ``cost_fen`` is what all of them cost together."""

    place_id: str
    sku: str
    qty: int
    cost_fen: int


class Moved(msgspec.Struct, frozen=True):
    """What the door moved: ``qty`` and ``cost_fen`` as the level changed by, ``short`` what the books had not."""

    place_id: str
    sku: str
    qty: int
    short: int
    cost_fen: int


class Level(msgspec.Struct, frozen=True):
    """How an article stands at a place."""

    place_id: str
    sku: str
    on_hand: int
    reserved: int
    short: int
    value_fen: int
    version: int
    low_qty: int | None
    low_at: datetime | None

    @property
    def available(self) -> int:
        """What an order may still have."""
        return max(0, self.on_hand - self.reserved)


class Movement(msgspec.Struct, frozen=True):
    """One line of the journal; ``version`` numbers those of a level without gaps."""

    place_id: str
    sku: str
    version: int
    at: datetime
    kind: MovementKind
    document_id: str
    about: str | None
    qty: int
    short: int
    cost_fen: int
    on_hand_after: int
    short_after: int
    value_after: int
    staff_id: int | None


class AlertKind(StrEnum):
    """Why somebody should look: an article is ``low``, or a till sold more than the books had."""

    LOW = "low"
    SHORT = "short"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something to look at; ``qty`` is what was left when it ran low, or how many pieces tills sold too many.

    ``on_hand`` and ``short`` are what the books say now. ``closed_by`` is None where it was over by itself.
    """

    id: str
    kind: AlertKind
    place_id: str
    sku: str
    qty: int
    at: datetime
    closed_at: datetime | None
    closed_by: int | None
    note: str
    on_hand: int
    short: int
    low_qty: int | None


class Place(msgspec.Struct, frozen=True):
    """Where stock lies: a store, under its own id, or a warehouse; ``store_id`` says whose staff keep it."""

    id: str
    name: str
    store_id: str | None
    warehouse: bool
    active: bool = True


class DocumentKind(StrEnum):
    """What a document is about (进销存)."""

    PURCHASE_ORDER = "purchase_order"
    RECEIPT = "receipt"
    PURCHASE_RETURN = "purchase_return"
    WHOLESALE = "wholesale"
    STOCKTAKE = "stocktake"
    TRANSFER = "transfer"


class DocumentState(StrEnum):
    """How far it is. ``shipped``: a transfer on its way; ``closed``: an order whose rest will not come.

    A transfer that is ``submitted`` has come, and what did not come waits for somebody to approve the loss.
    """

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SHIPPED = "shipped"
    POSTED = "posted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One article of a document.

    ``done_qty`` is what of an order or a transfer has come; ``cost_fen`` what its pieces cost as they moved. A count
    has ``qty`` as it was counted, ``book_qty`` as the books had it then, and ``seen``, their version then: None where
    it was not counted yet.
    """

    line_no: int
    sku: str
    qty: int
    unit_fen: int = 0
    amount_fen: int = 0
    done_qty: int = 0
    book_qty: int | None = None
    seen: int | None = None
    cost_fen: int | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it stands; ``version`` counts its changes."""

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
    created_by: int
    created_at: datetime
    approved_by: int | None
    posted_at: datetime | None
    lines: tuple[DocumentLine, ...] = ()


class Payable(msgspec.Struct, frozen=True):
    """What a supplier is owed: what came, less what went back and what was paid."""

    supplier_id: str
    received_fen: int
    returned_fen: int
    paid_fen: int

    @property
    def owed_fen(self) -> int:
        """Less than nothing where the supplier owes us."""
        return self.received_fen - self.returned_fen - self.paid_fen
