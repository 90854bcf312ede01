"""Terms of passes, and passes as other domains meet them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class PassKind(StrEnum):
    """What a pass gives: so many uses, uses for so many days, or better prices for so many days."""

    COUNTED = "counted"
    TIMED = "timed"
    DISCOUNT = "discount"


class ProductState(StrEnum):
    """How a product stands: being written, sold, not sold for a while, over for good. What was sold stays good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PassState(StrEnum):
    """How a pass stands."""

    ACTIVE = "active"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    VOID = "void"


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a version of a product promises; a pass keeps the terms it was issued with.

    ``days``: for how many local days of the chain it is good, that of the issue included (a counted one without: until
    it is used up). ``uses`` of a counted one; ``per_day`` of a timed one. ``stores`` and ``services``: where and for
    what it is good; an empty one does not limit. ``price_fen`` is what it usually costs, for display: the till's line
    says what was paid. A recharge of ``earned_by_recharge_fen`` or more gives one (None: none does).
    With ``level`` whoever gets one has that level for ``level_months`` months, or until the pass is given back.
    """

    kind: PassKind
    uses: int = 1
    days: int | None = None
    per_day: int = 1
    discount_bp: int = 0
    points_multiplier_bp: int = 10_000
    stores: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    price_fen: int = 0
    earned_by_recharge_fen: int | None = None
    level: str | None = None
    level_months: int | None = None


class Offered(msgspec.Struct, frozen=True):
    """A product that is sold now, with its current version."""

    product_id: str
    version: int
    terms: Terms


class SoldPass(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A pass as the document of the sale keeps it that sold it: piece ``piece`` (from 1) of a line.

    ``paid_fen`` is the piece's part of what the line cost less what coupons took off, by whatever means it was paid.
    """

    id: str
    product_id: str
    version: int
    line_no: int
    piece: int
    paid_fen: int
    kind: PassKind
    uses: int = 1
    days: int | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A member's pass as it stands: what it is, what is left of it, and what of its price is not earned yet.

    ``uses_left`` of a timed pass or a discount card is 1 while it lives. ``valid_from`` and ``expires_on`` are local
    days of the chain, both included (None: it does not expire). ``store_id`` is where it was sold, or None.
    """

    member_id: int
    id: str
    product_id: str
    version: int
    title: str
    note: str
    terms: Terms
    state: PassState
    uses: int
    uses_left: int
    paid_fen: int
    value_fen: int
    issued_at: datetime
    valid_from: date
    expires_on: date | None
    service_lot: int
    value_lot: int | None
    store_id: str | None
    ended_at: datetime | None


class PassUse(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a pass; ``value_fen`` is the share of its price that it earned.

    ``uses_left`` of a counted pass after it, ``left_by_undo`` after it was taken back.
    """

    id: str
    member_id: int
    pass_id: str
    store_id: str
    terminal_id: str
    at: datetime
    on: date
    qty: int
    service: str | None
    value_fen: int
    undone: bool
    version: int
    uses_left: int | None
    left_by_undo: int | None
