"""What the tables of this domain hold, as structs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from .types import Holder


class ProductState(StrEnum):
    """Whether cards of a product are sold: now, or no more."""

    ACTIVE = "active"
    ENDED = "ended"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered: a fixed face (``min_fen`` is ``max_fen``) or a range, and who may hold its cards.

    ``validity_months`` (None: for ever) counts from the activation; a card that is bound has no last day.
    """

    id: str
    title: str
    holder: Holder
    min_fen: int
    max_fen: int
    validity_months: int | None
    state: ProductState
    created_at: datetime


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Cards of a product that are made together: how many, and how many of them there are."""

    id: str
    product_id: str
    note: str
    total: int
    made: int
    state: str
    exported_at: datetime | None
    created_at: datetime


class Activation(msgspec.Struct, frozen=True):
    """The value part of an activation's document; ``valid_until`` is the last day that the card had then.

    ``tender``: how the till was paid for it, if it said so.
    """

    order_no: str
    terminal_id: str
    product_id: str
    amount_fen: int
    valid_until: date | None
    tender: str | None = None


class Charge(msgspec.Struct, frozen=True):
    """The value part of a charge's document."""

    order_no: str
    terminal_id: str
    amount_fen: int


class ChargeRefund(msgspec.Struct, frozen=True):
    """The value part of a charge's refund."""

    charge_id: str
    amount_fen: int
