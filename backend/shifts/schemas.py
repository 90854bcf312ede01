"""Shapes of shifts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero

from .types import DifferenceState, EntryKind, Figures, MovementKind, ReportKind, ShiftState

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Cashier = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Why = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
NoteNeeded = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
StoreId = Annotated[str, Meta(min_length=1, max_length=16)]
TerminalId = Annotated[str, Meta(min_length=1, max_length=32)]
DrawerTender = Literal["cash", "external"]
Tender = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[a-z_]+$(?!\n)")]
MostFen = Annotated[int, Meta(ge=-100_000_000_000, le=100_000_000_000)]


class OpenIn(Body):
    """Who opens the till, and with how much in it."""

    cashier: Cashier
    float_fen: FenOrZero = 0


class MovementIn(Body):
    """Cash into the till or out of it, which is no sale's."""

    kind: MovementKind
    amount_fen: Fen
    reason: Why
    cashier: Cashier | None = None


class CountIn(Body):
    """What was counted of a tender; of cash all that is in the drawer."""

    tender: DrawerTender
    amount_fen: FenOrZero


class OutsideIn(Body):
    """What the till took from people who are no members, less what it gave back to them."""

    tender: Tender
    amount_fen: MostFen
    count: Annotated[int, Meta(ge=0, le=100_000)] = 0


Counts = Annotated[list[CountIn], Meta(min_length=1, max_length=2)]
OutsideList = Annotated[tuple[OutsideIn, ...], Meta(max_length=20)]


class CloseIn(Body, kw_only=True):
    """What was counted, and what the till did besides; ``note`` is why it is off, if it is."""

    counted: Counts
    outside: OutsideList = ()
    left_fen: FenOrZero = 0
    note: Note = ""


class HandoverIn(CloseIn, kw_only=True):
    """The same, and who goes on; what is left in the till is their float."""

    next_cashier: Cashier


class XIn(Body):
    """What the till did besides, if it shall be counted in."""

    outside: OutsideList = ()


class ShiftOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A shift. ``figures`` as its Z has them; of an open one they are not told."""

    id: str
    store_id: str
    terminal_id: str
    cashier: str
    state: ShiftState
    float_fen: int
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    z_number: int | None = None
    figures: Figures | None = None
    difference_fen: int | None = None
    difference: DifferenceState = DifferenceState.NONE
    approval_id: str | None = None
    left_fen: int | None = None
    note: str = ""


class MovementOut(msgspec.Struct, kw_only=True):
    """Cash that was paid in or out."""

    id: str
    kind: MovementKind
    amount_fen: int
    reason: str
    cashier: str
    at: datetime


class ReportOut(msgspec.Struct, kw_only=True):
    """An X or a Z; by terminal and kind they are numbered from 1 without a gap."""

    kind: ReportKind
    number: int
    shift_id: str
    terminal_id: str
    at: datetime
    figures: Figures


class CurrentOut(msgspec.Struct):
    """The shift that is open here, or null; and whether cashiers count before they see."""

    shift: ShiftOut | None
    blind: bool


class HandoverOut(msgspec.Struct):
    """The shift that ended, and the one that began."""

    closed: ShiftOut
    opened: ShiftOut


class StepOut(msgspec.Struct, kw_only=True):
    """Who of the staff did what about it."""

    at: datetime
    username: str
    kind: str
    note: str


class ShiftDetail(msgspec.Struct, kw_only=True):
    """A shift with its movements, reports and steps; of an open one the figures are those of now."""

    shift: ShiftOut
    figures: Figures
    movements: list[MovementOut]
    reports: list[ReportOut]
    steps: list[StepOut]


class ShiftsQuery(Body):
    """Which shifts: all that is named must hold; days are those of the chain, both included."""

    store_id: StoreId | None = None
    terminal_id: TerminalId | None = None
    state: ShiftState | None = None
    differs: bool = False
    from_on: date | None = msgspec.field(name="from", default=None)
    to_on: date | None = msgspec.field(name="to", default=None)
    cursor: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class ShiftsOut(msgspec.Struct):
    """A page of shifts, the one opened last first."""

    items: list[ShiftOut]
    next_cursor: str | None


class EntriesQuery(Body):
    """A page of a shift's entries."""

    cursor: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class EntryOut(msgspec.Struct, kw_only=True):
    """One sale, refund, recharge or gift card of a closed shift."""

    source_id: str
    kind: EntryKind
    cashier: str | None
    at: datetime
    fen: int
    by_tender: dict[str, int]


class EntriesOut(msgspec.Struct):
    """A page of them, in order."""

    items: list[EntryOut]
    next_cursor: str | None


class ForcedCloseIn(CloseIn, kw_only=True):
    """The same by a manager, who says why."""

    note: NoteNeeded


class ResolveIn(Body):
    """What became of a difference."""

    note: NoteNeeded


class RowsQuery(Body):
    """Which days of the chain a shift was closed on, both included; of which store; put together by what."""

    from_on: date = msgspec.field(name="from")
    to_on: date = msgspec.field(name="to")
    store_id: StoreId | None = None
    by: Literal["store", "terminal", "cashier", "day", "shift"] = "store"


class RowsFileQuery(RowsQuery, kw_only=True):
    """And as what."""

    format: Literal["csv", "xlsx", "pdf"] = "csv"


class RowsChartQuery(RowsQuery, kw_only=True):
    """And as what."""

    format: Literal["svg", "png"] = "svg"


class RowOut(msgspec.Struct, kw_only=True):
    """Closed shifts together; amounts in fen, ``difference_fen`` is over (positive) or short."""

    key: str
    store_id: str | None
    shifts: int
    sales: int
    sales_fen: int
    discount_fen: int
    refunds_fen: int
    recharges_fen: int
    gift_cards_fen: int
    cash_expected_fen: int
    cash_counted_fen: int
    difference_fen: int
    unresolved: int


class RowsOut(msgspec.Struct):
    """The rows by key, 5000 at most; ``more``: there are others, fewer days show them."""

    items: list[RowOut]
    more: bool
