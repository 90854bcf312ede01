"""Schemes, facts, statements and runs (public)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

PREFIX = "B"
"""Of a statement's id, which is its document's in the books too."""

Code = Annotated[str, Meta(min_length=1, max_length=40)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Names = Annotated[tuple[Code, ...], Meta(max_length=200)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=200)]


class PeriodKind(StrEnum):
    """How long a period is; all are the calendar's, in the chain's zone."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Period(msgspec.Struct, frozen=True, order=True):
    """One period; both days belong to it."""

    kind: PeriodKind
    first: date
    last: date


class Paid(StrEnum):
    """What part of a purchase was paid with: money at the till or through WeChat, stored principal or bonus, …"""

    MONEY = "money"
    PRINCIPAL = "principal"
    GIFT_CARD = "gift_card"
    BONUS = "bonus"
    POINTS = "points"
    COUPON = "coupon"
    REBATE = "rebate"


NET_SALES = (Paid.MONEY, Paid.PRINCIPAL, Paid.GIFT_CARD)
"""What counts where a scheme says nothing: money, now or when the value was bought."""


class Tiers(StrEnum):
    """``marginal``: each tier's rate on its own part of the sum; ``whole``: the reached tier's rate on all of it."""

    MARGINAL = "marginal"
    WHOLE = "whole"


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From so much on, so many basis points."""

    from_fen: Annotated[int, Meta(ge=0, le=10**11)]
    rate_bp: Annotated[int, Meta(ge=0, le=5_000)]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a scheme promises. Everything that a condition says must hold; what it does not say does not limit.

    ``levels``, ``groups`` and ``key_accounts`` are judged when the purchase is heard of. ``for_owner``: what a group's
    people buy counts together, as if its owner had bought it, and not for them. ``cap_fen``: at most so much
    for one member in one period. ``min_payout_fen``: less waits for the next statement. ``valid_months``: what is paid
    lasts to the end of the month so many months later; 0 is for good. ``priority``: the lower one wins where two that
    do not stack give the same.
    """

    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=20)]
    mode: Tiers = Tiers.MARGINAL
    counts: Annotated[tuple[Paid, ...], Meta(min_length=1, max_length=7)] = NET_SALES
    categories: Names = ()
    not_categories: Names = ()
    brands: Names = ()
    not_brands: Names = ()
    stores: Ids = ()
    not_stores: Ids = ()
    levels: Ids = ()
    groups: Ids = ()
    key_accounts: bool = False
    for_owner: bool = False
    cap_fen: Annotated[int, Meta(ge=1, le=10**11)] | None = None
    min_payout_fen: Annotated[int, Meta(ge=1, le=10**11)] = 1
    valid_months: Annotated[int, Meta(ge=0, le=120)] = 12
    stackable: bool = False
    priority: Annotated[int, Meta(ge=1, le=1000)] = 100


class SchemeState(StrEnum):
    """A draft counts for nobody; a closed one counts for what was bought up to its last day."""

    DRAFT = "draft"
    ACTIVE = "active"
    CLOSED = "closed"


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme with its latest terms, which hold from ``since`` on; ``version`` grows with each writing."""

    id: str
    title: str
    period: PeriodKind
    state: SchemeState
    first_on: date
    last_on: date | None
    version: int
    since: date
    terms: Terms
    staff_id: int
    created_at: datetime


class Version(msgspec.Struct, frozen=True):
    """Terms in force from the period on that begins on ``since``."""

    version: int
    since: date
    terms: Terms
    staff_id: int
    at: datetime


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """A scheme as it applies to one period: the days of it that count, and whether it is its last one."""

    id: str
    title: str
    version: int
    terms: Terms
    first: date
    last: date
    ends: bool


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A line of a purchase; ``coupon_fen`` is what coupons took off it."""

    line_no: int
    category: str | None
    brand: str | None
    payable_fen: int
    coupon_fen: int


class Whose(StrEnum):
    """A member's own purchase, which may be one that a group's owner has in schemes that count for owners
    (``shared``); or such a one of another's (``people``)."""

    OWN = "own"
    SHARED = "shared"
    PEOPLE = "people"


class Purchase(msgspec.Struct, frozen=True):
    """A purchase: how it was paid (but by coupons, which lines say), and who the member was when it was heard of."""

    id: str
    at: datetime
    on: date
    store_id: str
    paid: dict[str, int]
    lines: tuple[Line, ...]
    level: str = ""
    group_id: str | None = None
    key_account: bool = False
    whose: Whose = Whose.OWN


Back = dict[str, dict[int, int]]
"""What came back so far: by purchase, by line, in fen."""


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """How much of a purchase a scheme counts, and the store that bears it."""

    sale_id: str
    on: date
    store_id: str
    fen: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheme comes to: the sum that counts, the tier it reaches (-1: none), and the rebate.

    ``won`` is False where another scheme that does not stack gives more; it gives nothing then. ``bases`` and
    ``stores`` are ``base_fen`` and ``fen`` by the store that bears it; ``lines`` are the first of ``purchases``.
    """

    scheme_id: str
    title: str
    version: int
    base_fen: int
    tier: int
    rate_bp: int
    fen: int
    capped: bool
    won: bool
    bases: dict[str, int]
    stores: dict[str, int]
    purchases: int
    lines: tuple[Counted, ...] = ()

    @property
    def given_fen(self) -> int:
        """What it really gives."""
        return self.fen if self.won else 0


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """How much of a scheme a store bears; negative where too much was given. ``months`` is how long it lasts."""

    scheme_id: str
    store_id: str
    fen: int
    months: int


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a closed period should have given, and did: what reached it later changed it."""

    first: date
    last: date
    was_fen: int
    now_fen: int
    pieces: tuple[Piece, ...]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says in full."""

    parts: tuple[Part, ...] = ()
    corrections: tuple[Correction, ...] = ()
    brought: tuple[Piece, ...] = ()
    paid: tuple[Piece, ...] = ()
    costs: tuple[Piece, ...] = ()


class StatementState(StrEnum):
    """``carried``: closed, and there is nothing to pay yet; ``refused``: the books did not take it."""

    DRAFT = "draft"
    CLOSED = "closed"
    CARRIED = "carried"
    PAID = "paid"
    REFUSED = "refused"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A member's statement of a period. ``holder_id`` is whose it is now; another member's after a merge."""

    id: str
    run_id: str
    member_id: int
    holder_id: int
    period: Period
    state: StatementState
    amount_fen: int
    corrected_fen: int
    brought_fen: int
    payout_fen: int
    carried_fen: int
    expires_on: date | None
    refusal: str | None
    paid_at: datetime | None
    at: datetime


class RunKind(StrEnum):
    """``statements``: of a period that is over; ``simulation``: what terms would have cost; ``estimate``: so far."""

    STATEMENTS = "statements"
    SIMULATION = "simulation"
    ESTIMATE = "estimate"


class RunState(StrEnum):
    """Statements: building, draft, closed, paying, paid; others: building, done. ``cancelled`` ends what is no more
    than a draft."""

    BUILDING = "building"
    DRAFT = "draft"
    CLOSED = "closed"
    PAYING = "paying"
    PAID = "paid"
    DONE = "done"
    CANCELLED = "cancelled"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A look at all members for a period. ``amount_fen`` is what it comes to, ``payout_fen`` what is to be paid."""

    id: str
    kind: RunKind
    period: Period
    state: RunState
    scheme_id: str | None
    total: int
    done: int
    statements: int
    amount_fen: int
    payout_fen: int
    to_pay: int
    paid: int
    paid_fen: int
    refused: int
    approval_id: str | None
    staff_id: int | None
    closed_by: int | None
    created_at: datetime
    ended_at: datetime | None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, by scheme, tier and the store that bears it; a member counts once, at one of the stores."""

    scheme_id: str
    tier: int
    store_id: str
    members: int
    base_fen: int
    fen: int
    corrected_fen: int


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A member's standing in a scheme so far; ``missing_fen`` is what the next tier still needs.

    ``until`` is the day that the count got to where there was more than a phone waits for; None: all of it.
    """

    scheme: Applied
    period: Period
    part: Part
    next_tier: Tier | None
    missing_fen: int
    until: date | None
