"""What is authorised, by whom, and how much of it there may be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

CASHIER = ""
"""The role of the limit that holds without anybody's authorisation."""


class Act(StrEnum):
    """What is authorised; ``OTHER`` is what only a later release knows."""

    DISCOUNT = "discount"
    RECHARGE_REVERSAL = "recharge_reversal"
    OTHER = "other"


class Reason(StrEnum):
    """Why."""

    PRICE_MATCH = "price_match"
    DAMAGED = "damaged"
    COMPLAINT = "complaint"
    BULK = "bulk"
    VIP = "vip"
    MISTAKE = "mistake"
    OTHER = "other"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How much a role may authorise: of one sale in 1/10000 of its total and in fen, of a day in fen and in number.

    Of what a cashier may give alone only the first two count.
    """

    role: str
    sale_bp: int
    sale_fen: int
    day_fen: int
    day_count: int


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be authorised: ``fen`` of a whole of ``total_fen``, for that member, about that document."""

    act: Act
    subject: str
    order_no: str | None
    member_id: int
    store_id: str
    terminal_id: str
    cashier: str | None
    fen: int
    total_fen: int
    reason: Reason
    note: str


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One authorisation, as it was given."""

    id: str
    act: Act
    subject: str
    order_no: str | None
    store_id: str
    terminal_id: str
    cashier: str | None
    staff_id: int
    role: str
    fen: int
    total_fen: int
    reason: Reason
    note: str
    at: datetime


class GrantSum(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody authorised over some days: ``total_fen`` is what those sales came to before it."""

    staff_id: int
    store_id: str
    grants: int
    fen: int
    total_fen: int
