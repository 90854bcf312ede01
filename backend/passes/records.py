"""What the tables of this domain hold, as structs."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from .types import PassKind, PassState, ProductState, Terms


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product as it stands."""

    id: str
    sku: str
    version: int
    title: str
    state: ProductState
    created_at: datetime
    updated_at: datetime


class Version(msgspec.Struct, frozen=True):
    """What a product promises since it was changed last; never changes itself."""

    product_id: str
    version: int
    title: str
    note: str
    terms: Terms


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A row of an issued pass: what it is, and for display how it ended. What is left of it, the ledger says."""

    member_id: int
    id: str
    product_id: str
    version: int
    kind: PassKind
    source: str
    store_id: str | None
    uses: int
    paid_fen: int
    issued_at: datetime
    valid_from: date
    expires_on: date | None
    ended_as: PassState | None
    ended_at: datetime | None
