"""Places, levels, the journal, and what suppliers are owed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import MAX_AMOUNT

from ..types import MovementKind
from .words import Cursor, Day, Limit, Name, Note, PlaceId, Sku, SupplierId


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
