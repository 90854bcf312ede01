"""What is known of bills, items, differences and clearing."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from backend.wechat.types import BillKind


class BillState(StrEnum):
    """``waiting`` to be fetched, ``taken``, or ``empty``: on that day nothing was paid or given back."""

    WAITING = "waiting"
    TAKEN = "taken"
    EMPTY = "empty"


class What(StrEnum):
    """What is wrong with an item; ``OTHER``: something that only a later release knows."""

    ONLY_THERE = "only_there"
    ONLY_HERE = "only_here"
    AMOUNT = "amount"
    TRANSACTION = "transaction"
    REFUND_FAILED = "refund_failed"
    OTHER = "other"


class State(StrEnum):
    """How far a difference is looked into; ``gone``: the other side turned up. ``OTHER`` only a later release knows."""

    OPEN = "open"
    WORKING = "working"
    RESOLVED = "resolved"
    GONE = "gone"
    OTHER = "other"


class Action(StrEnum):
    """What happened to a difference; ``OTHER`` only a later release knows."""

    FOUND = "found"
    TAKEN = "taken"
    NOTED = "noted"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    GONE = "gone"
    OTHER = "other"


class Resolution(StrEnum):
    """What a difference turned out to be; ``OTHER`` is none of these, and its note says what."""

    REFUNDED_BY_HAND = "refunded_by_hand"
    BOOKED_BY_HAND = "booked_by_hand"
    OTHER_SYSTEM = "other_system"
    WECHAT_CORRECTS = "wechat_corrects"
    ACCEPTED = "accepted"
    OTHER = "other"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """A day's bill; sums in fen, ``fee`` in hundred-thousandths of a yuan.

    ``due_at``: when it is asked for next; of one that was taken before only while it is taken again, or was cut short.
    """

    day: date
    state: BillState
    tries: int
    due_at: datetime | None
    sha1: str | None
    lines: int
    paid_fen: int
    refunded_fen: int
    fee: int
    taken_at: datetime | None


class Side(msgspec.Struct, frozen=True):
    """One side of an item; ``failed``: a refund that reached nobody."""

    fen: int
    transaction_id: str | None = None
    failed: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or a refund, with what either side says of it; ``day`` is the bill's, else the day of our books."""

    kind: BillKind
    number: str
    day: date
    store_id: str | None
    source: str | None
    document_id: str | None
    transaction_id: str | None
    theirs_fen: int | None
    theirs_at: datetime | None
    ours_fen: int | None
    ours_at: datetime | None
    difference: What | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An item whose sides do not agree, and what became of that; ``version`` counts its steps."""

    id: str
    kind: BillKind
    number: str
    what: What
    day: date
    store_id: str | None
    theirs_fen: int | None
    ours_fen: int | None
    state: State
    staff_id: int | None
    resolution: Resolution | None
    found_at: datetime
    ended_at: datetime | None
    version: int


class Step(msgspec.Struct, frozen=True):
    """One thing that happened to a difference; no ``staff_id``: by itself."""

    version: int
    action: Action
    staff_id: int | None
    note: str
    at: datetime


class DaySums(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of a day's items, and how many of them differ still."""

    day: date
    theirs_paid_fen: int = 0
    ours_paid_fen: int = 0
    theirs_refunded_fen: int = 0
    ours_refunded_fen: int = 0
    items: int = 0
    open: int = 0


class Flow(msgspec.Struct, frozen=True):
    """What was spent at ``to_store`` (less what came back) of value that was recharged at ``from_store``.

    A store that is None is head office: value of members without a store.
    """

    from_store: str | None
    to_store: str | None
    principal_fen: int
    bonus_fen: int
    purchases: int


class Balance(msgspec.Struct, frozen=True):
    """A store's clearing: what others owe it for their value spent there, what it owes, and the difference."""

    store_id: str | None
    receives_fen: int
    pays_fen: int

    @property
    def net_fen(self) -> int:
        """What the store gets (negative: pays)."""
        return self.receives_fen - self.pays_fen


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What was owed up to a day and in no settlement before, as two people fixed it; ``from_on``: its first purchase.

    Purchases of long ago that were counted late are in the first settlement after that.
    """

    id: str
    from_on: date
    to_on: date
    with_bonus: bool
    flows: tuple[Flow, ...]
    asked_by: int
    approved_by: int
    at: datetime


class SettlementWish(msgspec.Struct, frozen=True):
    """What a second person is asked for: settle everything up to that day, if it still is what ``digest`` is of."""

    to_on: date
    with_bonus: bool
    digest: str
