"""Bodies and answers of the passes' calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.kernel.changes import ChangeOut
from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero

from .types import PassKind, PassState, ProductState, Terms

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)", description="使用说明")]
Reason = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Sku = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$(?!\n)", description="收银销售的货号")]
StoreId = Annotated[str, Meta(min_length=1, max_length=32)]
MemberId = Annotated[str, Meta(min_length=1, max_length=19)]
Day = Annotated[date, Meta(description="当地日期")]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class TermsIn(Body):
    """What the pass promises; for the fields see the guide to passes."""

    kind: PassKind
    uses: Annotated[int, Meta(ge=1, le=1000)] = 1
    days: Annotated[int, Meta(ge=1, le=3660)] | None = None
    per_day: Annotated[int, Meta(ge=1, le=100)] = 1
    discount_bp: Annotated[int, Meta(ge=0, le=10_000, description="万分之一；500 = 95 折")] = 0
    points_multiplier_bp: Annotated[int, Meta(ge=10_000, le=100_000)] = 10_000
    stores: Annotated[tuple[StoreId, ...], Meta(max_length=1000)] = ()
    services: Annotated[tuple[Title, ...], Meta(max_length=20)] = ()
    price_fen: FenOrZero = 0
    earned_by_recharge_fen: Fen | None = None
    level: Annotated[str, Meta(min_length=1, max_length=16, description="持卡即得的会员等级")] | None = None
    level_months: Annotated[int, Meta(ge=1, le=120, description="等级给几个月")] | None = None

    def terms(self) -> Terms:
        """The same as what is stored."""
        return msgspec.convert(msgspec.to_builtins(self), Terms)


class ProductIn(Body):
    """A new product: it begins as a draft, version 1."""

    sku: Sku
    title: Title
    terms: TermsIn
    note: Note = ""


class VersionIn(Body):
    """New terms for what is issued from now on; title and note stay unless they are given."""

    terms: TermsIn
    title: Title | UnsetType = UNSET
    note: Note | UnsetType = UNSET


class ProductOut(msgspec.Struct, kw_only=True):
    """A product as staff see it."""

    id: str
    sku: str
    version: int
    title: str
    note: str
    state: ProductState
    terms: Terms
    created_at: datetime
    updated_at: datetime


class ProductsQuery(Body):
    """Which products, and where to go on."""

    state: ProductState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class ProductsOut(msgspec.Struct):
    """A page of products, newest first."""

    items: list[ProductOut]
    next_cursor: str | None


class GiveIn(Body):
    """Whom to give a pass, and why."""

    member_id: MemberId
    reason: Reason


class EndIn(Body):
    """Why a pass ends before its time."""

    reason: Reason


class PassOut(msgspec.Struct, kw_only=True):
    """A pass. ``uses`` and ``uses_left`` of a counted one, null otherwise; ``services`` and ``stores`` as in its terms.

    ``discount_bp`` and ``points_multiplier_bp`` are those of a discount card.
    """

    id: str
    product_id: str
    title: str
    note: str
    kind: PassKind
    state: PassState
    uses: int | None
    uses_left: int | None
    per_day: int | None
    discount_bp: int
    points_multiplier_bp: int
    services: tuple[str, ...]
    stores: tuple[str, ...]
    valid_from: date
    expires_on: date | None
    issued_at: datetime
    ended_at: datetime | None


class UseOut(msgspec.Struct):
    """A use of a pass; ``store`` is where."""

    id: str
    at: datetime
    store: dict[str, str]
    qty: int
    service: str | None
    undone: bool


class PassDetail(PassOut, kw_only=True):
    """A pass with its last hundred uses, newest first; ``store_names`` are its ``stores`` by name."""

    store_names: list[str]
    uses_made: list[UseOut]


class PassesQuery(Body):
    """Which passes, and where to go on (of ended ones)."""

    state: Literal["active", "ended"] = "active"
    cursor: Cursor | None = None
    limit: Limit = 20


class PassesOut(msgspec.Struct):
    """The member's passes that can be used, what ends soonest first, or a page of those that ended, newest first."""

    items: list[PassOut]
    next_cursor: str | None


class StaffPassOut(PassOut, kw_only=True):
    """A pass as staff see it: whose, how it came, and what of its price is not earned yet."""

    member_id: str
    source: str | None
    store_id: str | None
    paid_fen: int
    value_fen: int


class StaffPassDetail(StaffPassOut, kw_only=True):
    """The same with its last hundred uses and what staff did to it."""

    uses_made: list[UseOut]
    changes: list[ChangeOut]


class StaffPassesQuery(Body):
    """Whose passes or which product's, and where to go on; one of the two."""

    member_id: MemberId | None = None
    product_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class StaffPassesOut(msgspec.Struct):
    """A page of passes, newest first."""

    items: list[StaffPassOut]
    next_cursor: str | None


class EndOut(msgspec.Struct):
    """How a pass was ended: ``payout_fen`` is to be paid to the member, ``uses`` is what was left."""

    id: str
    pass_id: str
    state: PassState
    uses: int
    value_fen: int
    payout_fen: int
    at: datetime
