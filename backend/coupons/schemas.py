"""Bodies and answers of the coupons' calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.kernel.changes import ChangeOut
from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero

from .records import ClaimBy, Occurrence, TemplateState, Trigger
from .types import Channel, CouponKind, CouponState, GiftState, Party, RefundPolicy, Stacking, Terms

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
UsageNote = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)", description="使用说明")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Codes = Annotated[tuple[Code, ...], Meta(max_length=2000)]
Category = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Article = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Articles = Annotated[tuple[Article, ...], Meta(max_length=1000)]
Instant = Annotated[datetime, Meta(tz=True)]
Day = Annotated[date, Meta(description="当地日期")]
Bp = Annotated[int, Meta(ge=1, le=10_000, description="万分之一")]
Minute = Annotated[int, Meta(ge=0, le=1440)]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class CostIn(Body):
    """A party's part of the cost; suppliers and counters have a code."""

    party: Party
    share_bp: Bp
    code: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)")] = ""


class HoursIn(Body):
    """Minutes of the local day; over midnight where ``to_minute`` is the smaller."""

    from_minute: Minute
    to_minute: Minute


class ScopeIn(Body):
    """Where, on what and for whom; an empty field does not limit. ``weekdays``: 1 is Monday.

    Articles and categories are whatever the tills call them.
    """

    stores: Codes = ()
    channels: Annotated[tuple[Channel, ...], Meta(max_length=2)] = ()
    categories: Annotated[tuple[Category, ...], Meta(max_length=200)] = ()
    brands: Annotated[tuple[Title, ...], Meta(max_length=200)] = ()
    skus: Articles = ()
    skus_excluded: Articles = ()
    levels: Codes = ()
    weekdays: Annotated[tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(max_length=7)] = ()
    hours: Annotated[tuple[HoursIn, ...], Meta(max_length=8)] = ()


class ValidityIn(Body):
    """Absolute (``from_on``, ``until_on``), or ``days`` days from ``after_days`` days after the issue."""

    from_on: Day | None = None
    until_on: Day | None = None
    after_days: Annotated[int, Meta(ge=0, le=3650)] = 0
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class TermsIn(Body):
    """What the coupon promises; for the fields see the guide to coupons."""

    kind: CouponKind
    validity: ValidityIn
    face_fen: FenOrZero = 0
    rate_bp: Annotated[int, Meta(ge=0, le=10_000)] = 0
    cap_fen: Fen | None = None
    pieces: Annotated[int, Meta(ge=1, le=100)] = 1
    min_spend_fen: FenOrZero = 0
    partial_use: bool = False
    scope: ScopeIn = ScopeIn()
    stacking: Stacking = Stacking.EXCLUSIVE
    group: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)")] = ""
    max_together: Annotated[int, Meta(ge=1, le=20)] | None = None
    transferable: bool = False
    refund: RefundPolicy = RefundPolicy.RETURN
    cost: Annotated[tuple[CostIn, ...], Meta(min_length=1, max_length=10)] = (
        CostIn(party=Party.HEAD_OFFICE, share_bp=10_000),
    )

    def terms(self) -> Terms:
        """The same as what is stored."""
        return msgspec.convert(msgspec.to_builtins(self), Terms)


class TriggerIn(Body):
    """When a coupon is issued by itself: on a recharge or sale of ``min_fen`` or more, on reaching ``level`` …"""

    on: Occurrence
    min_fen: FenOrZero = 0
    level: Annotated[str, Meta(max_length=20)] = ""


class OfferBody(Body):
    """How a template is offered: when, by which way, how many."""

    claim_by: ClaimBy = ClaimBy.NOBODY
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    total: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    per_member: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    triggers: Annotated[tuple[TriggerIn, ...], Meta(max_length=5)] = ()
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0


class TemplateIn(OfferBody, kw_only=True):
    """A new template: it begins as a draft, version 1."""

    title: Title
    terms: TermsIn
    note: UsageNote = ""


class VersionIn(Body):
    """New terms for what is issued from now on; title and note stay unless they are given."""

    terms: TermsIn
    title: Title | UnsetType = UNSET
    note: UsageNote | UnsetType = UNSET


class TemplateOut(msgspec.Struct, kw_only=True):
    """A template as staff see it."""

    id: str
    version: int
    title: str
    note: str
    headline: str
    state: TemplateState
    claim_by: ClaimBy
    share_token: str
    starts_at: datetime | None
    ends_at: datetime | None
    total: int | None
    issued: int
    reserved: int
    left: int | None
    per_member: int | None
    triggers: list[Trigger]
    sort: int
    terms: Terms
    created_at: datetime
    updated_at: datetime


class TemplatesQuery(Body):
    """Which templates, and where to go on."""

    state: TemplateState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class TemplatesOut(msgspec.Struct):
    """A page of templates, newest first."""

    items: list[TemplateOut]
    next_cursor: str | None


class BatchIn(Body):
    """How many codes, and what for."""

    total: Annotated[int, Meta(ge=1, le=100_000)]
    note: Note = ""


class BatchOut(msgspec.Struct):
    """A batch of codes; ``made`` of ``total`` exist so far, ``claimed`` of them were redeemed."""

    id: str
    template_id: str
    note: str
    total: int
    made: int
    claimed: int
    state: str
    exported_at: datetime | None
    created_at: datetime


class BatchesOut(msgspec.Struct):
    """The last hundred batches of a template, newest first."""

    items: list[BatchOut]


class SegmentIn(Body):
    """Active members of a store, of some levels, or both; of all where nothing is said."""

    store_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    levels: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()


class HandoutIn(Body):
    """Who is given one each: a list of members, or a segment. A member named twice is given one."""

    member_ids: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=19)]], Meta(min_length=1, max_length=10_000)] | None
    ) = None
    segment: SegmentIn | None = None


class HandoutOut(msgspec.Struct):
    """How far a handout has got; ``refused`` counts by code."""

    id: str
    template_id: str
    state: Literal["waiting", "running", "done"]
    total: int
    done: int
    issued: int
    refused: dict[str, int]
    created_at: datetime
    finished_at: datetime | None


class HandoutsOut(msgspec.Struct):
    """The last hundred handouts of a template, newest first."""

    items: list[HandoutOut]


class ClaimIn(Body):
    """What is claimed: exactly one of the three."""

    template_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    share_token: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    code: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class Face(msgspec.Struct, kw_only=True):
    """What is printed large on a coupon: as a sentence (``headline``), and as the numbers that it is made of."""

    title: str
    headline: str
    kind: CouponKind
    face_fen: int
    rate_bp: int
    pieces: int
    min_spend_fen: int


class CouponOut(Face, kw_only=True):
    """A coupon of the member's. ``balance`` is in fen for a value coupon (``unit``), else the uses that are left.

    ``in_gift``: it is locked because it waits for a friend, not for an order.
    """

    id: str
    template_id: str
    state: CouponState
    unit: Literal["uses", "fen"]
    balance: int
    valid_from: date
    expires_on: date | None
    issued_at: datetime
    ended_at: datetime | None
    used_in: str | None
    in_gift: bool = False


class GiftOut(msgspec.Struct):
    """A gift that waits for a friend: whoever has the token can accept it until then."""

    gift_id: str
    token: str
    expires_at: datetime


class GiftShown(Face, kw_only=True):
    """What a gift's link shows: the coupon, and of its giver the masked name only. ``balance`` as in ``CouponOut``.

    ``own``: it is the caller's, who cannot accept it.
    """

    state: GiftState
    giver: str
    own: bool
    unit: Literal["uses", "fen"]
    balance: int
    valid_from: date
    expires_on: date | None
    period: str
    lines: list[str]
    accept_until: datetime


class CouponDetail(CouponOut, kw_only=True):
    """A coupon with every condition, in words and as data; ``gift`` while it waits for a friend."""

    period: str
    lines: list[str]
    terms: Terms
    gift: GiftOut | None = None


class IssuedOut(CouponOut, kw_only=True):
    """A coupon as staff see it: whose it is, where it came from and by what it ended (a sale, a gift)."""

    member_id: str
    version: int
    source: str
    ended_by: str | None


class IssuedDetail(IssuedOut, kw_only=True):
    """The same with every condition, and what staff did to it, newest first."""

    period: str
    lines: list[str]
    terms: Terms
    changes: list[ChangeOut]


class IssuedQuery(Body):
    """Which of a member's coupons, and where to go on."""

    state: Literal["available", "used", "expired", "all"] = "all"
    template_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class IssuedPage(msgspec.Struct):
    """A page of a member's coupons, newest first."""

    items: list[IssuedOut]
    next_cursor: str | None


class VoidIn(Body):
    """Why; kept for good, so without names or numbers of people."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class CouponsQuery(Body):
    """Which coupons, and where to go on."""

    state: Literal["available", "used", "expired"] = "available"
    cursor: Cursor | None = None
    limit: Limit = 20


class CouponsOut(msgspec.Struct):
    """A page of the member's coupons, newest first.

    The first page also tells how many can be used (at most 1000 are counted) and on which day the first expires.
    """

    items: list[CouponOut]
    next_cursor: str | None
    available: int | None
    first_expires_on: date | None


ClaimState = Literal["claimable", "claimed", "sold_out"]


class CentreItem(Face, kw_only=True):
    """A coupon that may be claimed. ``left`` is null where there is no limit; ``claimed``: how many this member had."""

    template_id: str
    validity: str
    lines: list[str]
    ends_at: datetime | None
    total: int | None
    left: int | None
    claimed: int
    per_member: int | None
    state: ClaimState


class CentreOut(msgspec.Struct):
    """What the coupon centre shows, in order."""

    items: list[CentreItem]
