"""Shifts, what they hold, and how they stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

CASH = "cash"
DRAWER = ("cash", "external")
"""The tenders that a till holds, and that are counted; the others are the books'."""


class ShiftState(StrEnum):
    """Open, or closed for good."""

    OPEN = "open"
    CLOSED = "closed"


class DifferenceState(StrEnum):
    """How a difference stands: there is none, nobody answered for it, somebody explained it; a large one waits for a
    second person, who approves."""

    NONE = "none"
    OPEN = "open"
    EXPLAINED = "explained"
    WAITING = "waiting"
    APPROVED = "approved"


class EntryKind(StrEnum):
    """What a till did; ``OTHER`` is what only a later release knows.

    What is added to these tells the direction by its sign, less than nothing is given back: so a server of the release
    before can count it.
    """

    SALE = "sale"
    REFUND = "refund"
    RECHARGE = "recharge"
    RECHARGE_REVERSAL = "recharge_reversal"
    GIFT_CARD = "gift_card"
    GIFT_CARD_UNDONE = "gift_card_undone"
    GIFT = "gift"
    """Handed over for points; its money was stored value, paid on the phone before."""
    MEMBER_CARD = "member_card"
    MEMBER_CARD_BACK = "member_card_back"
    OTHER = "other"


COMES = frozenset({EntryKind.SALE, EntryKind.RECHARGE, EntryKind.GIFT_CARD, EntryKind.MEMBER_CARD})
"""What brings money; the others give it back, but what is ``OTHER``."""


class MovementKind(StrEnum):
    """Cash that is no sale's."""

    PAY_IN = "pay_in"
    PAY_OUT = "pay_out"


class ReportKind(StrEnum):
    """A look, or the end."""

    X = "X"
    Z = "Z"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a till did, as the shift counts it; ``by_tender`` in fen, each positive in the direction of its kind, or
    signed (``EntryKind.OTHER``)."""

    source_id: str
    kind: EntryKind
    store_id: str
    terminal_id: str
    cashier: str | None
    at: datetime
    fen: int
    discount_fen: int = 0
    bonus_fen: int = 0
    by_tender: dict[str, int] = {}


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one kind and cashier together."""

    kind: EntryKind
    cashier: str | None
    count: int
    fen: int
    discount_fen: int
    bonus_fen: int
    by_tender: dict[str, int]


class Outside(msgspec.Struct, frozen=True):
    """What a till took by one tender from people who are no members, less what it gave back to them."""

    tender: str
    amount_fen: int
    count: int


class KindFigures(msgspec.Struct, frozen=True):
    """How many of a kind, and how much."""

    count: int = 0
    fen: int = 0


class TenderFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One tender of a shift: what came, what went, and of what the till holds, what must be there and what was.

    ``expected_fen`` of cash has the float and what was paid in and out in it.
    """

    tender: str
    in_fen: int
    out_fen: int
    expected_fen: int | None = None
    counted_fen: int | None = None
    difference_fen: int | None = None


class CashierFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one cashier rang up in a shift."""

    cashier: str
    sales: int
    sales_fen: int
    refunds_fen: int
    recharges_fen: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a shift. ``difference_fen`` is over (positive) or short, None before it was counted.

    ``member_cards`` is deposits and fees of member cards, ``member_cards_back`` deposits that were given back;
    ``others`` what came, less what went, in ways that only a later release knows.
    """

    sales: KindFigures
    discount_fen: int
    refunds: KindFigures
    recharges: KindFigures
    recharge_bonus_fen: int
    recharge_reversals: KindFigures
    gift_cards: KindFigures
    gift_cards_undone: KindFigures
    gifts: KindFigures = KindFigures(0, 0)
    outside: tuple[Outside, ...]
    float_fen: int
    pay_in_fen: int
    pay_out_fen: int
    tenders: tuple[TenderFigures, ...]
    cashiers: tuple[CashierFigures, ...]
    member_cards: KindFigures = KindFigures()
    member_cards_back: KindFigures = KindFigures()
    others: KindFigures = KindFigures()
    difference_fen: int | None = None


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One shift. ``closed_by`` is the person of the staff who closed a forgotten one; the till does it itself."""

    id: str
    store_id: str
    terminal_id: str
    cashier: str
    state: ShiftState
    float_fen: int
    opened_at: datetime
    closed_at: datetime | None
    closed_by: int | None
    z_number: int | None
    figures: Figures | None
    difference_fen: int | None
    difference: DifferenceState
    approval_id: str | None
    left_fen: int | None
    note: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody of the staff did about a shift's difference; ``kind`` is ``closed``, ``explained``, ``asked`` or
    ``approved``."""

    at: datetime
    staff_id: int
    kind: str
    note: str


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Cash paid into a till or out of it."""

    id: str
    kind: MovementKind
    amount_fen: int
    reason: str
    cashier: str
    at: datetime


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An X or a Z, as it was printed."""

    kind: ReportKind
    number: int
    shift_id: str
    at: datetime
    figures: Figures


class DifferenceWish(msgspec.Struct, frozen=True):
    """What a second person approves: a shift's difference, as it was then."""

    shift_id: str
    difference_fen: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Closed shifts together: of a store, a terminal, a cashier, a day, or each alone."""

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
