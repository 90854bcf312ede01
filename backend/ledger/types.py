"""What the ledger answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec


class Posted(msgspec.Struct, frozen=True):
    """What a plan did (or, ``replayed``, what the first plan with its key did then).

    ``balances`` are the member's accounts after it, by kind; ``lots`` are ``(account, lot id, signed amount, part)``.
    """

    balances: dict[str, int]
    lots: tuple[tuple[str, int, int, str], ...]
    transfer: int | None = None
    document_id: str | None = None
    state: str | None = None
    version: int | None = None
    replayed: bool = False


class Document(msgspec.Struct, frozen=True):
    """A stored document: ``body`` as it was made, ``progress`` as it stands."""

    member_id: int
    id: str
    kind: str
    state: str
    version: int
    store_id: str | None
    body: dict[str, Any]
    progress: dict[str, Any]
    memo: dict[str, Any]
    at: datetime
    updated_at: datetime
    due_at: datetime | None


class Lot(msgspec.Struct, frozen=True):
    """Credit of one source that is still (partly) there."""

    lot_id: int
    kind: str
    ref: str
    part: str
    source: str
    issued: int
    remaining: int
    expires_on: date | None
    matures_on: date | None


class Holding(msgspec.Struct, frozen=True):
    """What a member holds on an account with a reference (a coupon): ``balance`` in ``unit``, ``uses`` or ``fen``.

    ``lot_id``, ``source`` (of a coupon: its template) and ``expires_on`` (None: never) are those of the open lot that
    is taken from first.
    """

    kind: str
    ref: str
    unit: str
    balance: int
    lot_id: int
    source: str
    expires_on: date | None


class Known(msgspec.Struct, frozen=True):
    """The stored answer of a key."""

    member_id: int
    hash: bytes
    result: Posted


class HouseTotal(msgspec.Struct, frozen=True):
    """What was booked on a house account in a day, as far as it is counted; ``ref`` is a store, for example."""

    day: date
    kind: str
    ref: str
    unit: str
    amount: int
    entries: int


class Entry(msgspec.Struct, frozen=True):
    """One line of a member's statement: what transfer ``seq`` did to an account, and what that held afterwards."""

    seq: int
    at: datetime
    kind: str
    amount: int
    balance_after: int
    document_id: str | None


class Snapshot(msgspec.Struct, frozen=True):
    """A member's books at one moment: a hint to price with, judged again inside the door.

    ``stored`` are ``(part, remaining)`` of the unexpired lots of stored value, in the order they are spent; ``expired``
    is how much of the other accounts has expired and still stands in their balances.
    """

    member_id: int
    active: bool
    balances: dict[str, int]
    stored: tuple[tuple[str, int], ...] = ()
    expired: dict[str, int] = {}
    used_store: str | None = None
    used_at: datetime | None = None
    elsewhere_at: datetime | None = None

    def used_elsewhere_at(self, store_id: str) -> datetime | None:
        """When the member's code was last used at another store than this one."""
        return self.elsewhere_at if self.used_store == store_id else self.used_at

    def spendable(self, kind: str) -> int:
        """What can be spent of an account today."""
        if kind == "stored":
            return sum(remaining for _, remaining in self.stored)
        return self.balances.get(kind, 0) - self.expired.get(kind, 0)
