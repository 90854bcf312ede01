"""Shapes of authorisations and their limits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Act, Reason

StoreId = Annotated[str, Meta(min_length=1, max_length=16)]
StaffId = Annotated[str, Meta(min_length=1, max_length=20)]
Bp = Annotated[int, Meta(ge=0, le=10_000)]
Amount = Annotated[int, Meta(ge=0, le=100_000_000_000)]


class LimitIn(Body):
    """How much a role may authorise; of the cashier's own only the first two count."""

    sale_bp: Bp
    sale_fen: Amount
    day_fen: Amount = 0
    day_count: Annotated[int, Meta(ge=0, le=10_000)] = 0


class LimitOut(msgspec.Struct, kw_only=True):
    """A limit; ``role`` is ``cashier`` for what needs nobody."""

    role: str
    sale_bp: int
    sale_fen: int
    day_fen: int
    day_count: int


class LimitsOut(msgspec.Struct):
    """All limits. A role without one authorises nothing; without the cashier's, tills give what they like."""

    items: list[LimitOut]


class GrantsQuery(Body):
    """Which authorisations: all that is named must hold; days are those of the chain, both included."""

    store_id: StoreId | None = None
    staff_id: StaffId | None = None
    subject: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    order_no: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    reason: Reason | None = None
    from_on: date | None = msgspec.field(name="from", default=None)
    to_on: date | None = msgspec.field(name="to", default=None)
    cursor: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class GrantOut(msgspec.Struct, kw_only=True):
    """One authorisation: by whom, at which till and cashier, for what, how much of how much, why."""

    id: str
    at: datetime
    act: Act
    subject: str
    order_no: str | None
    store_id: str
    terminal_id: str
    cashier: str | None
    staff_id: str
    username: str
    role: str
    fen: int
    total_fen: int
    reason: Reason
    note: str


class GrantsOut(msgspec.Struct):
    """A page of them, newest first."""

    items: list[GrantOut]
    next_cursor: str | None


class ReportQuery(Body):
    """Which days of the chain, both included, and of which store."""

    from_on: date = msgspec.field(name="from")
    to_on: date = msgspec.field(name="to")
    store_id: StoreId | None = None


class SumOut(msgspec.Struct, kw_only=True):
    """What somebody authorised in a store."""

    staff_id: str
    username: str
    store_id: str
    grants: int
    fen: int
    total_fen: int


class ReportOut(msgspec.Struct):
    """By person and store, who gave most first; at most a thousand."""

    items: list[SumOut]
