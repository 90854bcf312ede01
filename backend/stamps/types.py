"""Campaigns, cards, and what they are told of sales."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class CampaignKind(StrEnum):
    """What gives stamps: buying, coming (one a local day), or doing each of a list of things once."""

    STAMPS = "stamps"
    ATTENDANCE = "attendance"
    TASKS = "tasks"


class CampaignState(StrEnum):
    """How a campaign stands: being written, running, stopped for a while, over for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Per(StrEnum):
    """What of a sale is given a stamp: the whole of it, or each piece of the articles that count."""

    SALE = "sale"
    PIECE = "piece"


class TaskOn(StrEnum):
    """What ticks a task off: somebody of the staff, or something that the member does."""

    STAFF = "staff"
    PROFILE = "profile"
    RECHARGE = "recharge"
    SALE = "sale"
    GIFT_CARD = "gift_card"


class Task(msgspec.Struct, frozen=True):
    """One of the things to do."""

    code: str
    title: str
    on: TaskOn = TaskOn.STAFF


class Earning(msgspec.Struct, frozen=True, omit_defaults=True):
    """How stamps are earned; which fields mean something, the campaign's kind says.

    ``stamps``: ``per`` sale that is paid with ``min_fen`` or more, or per piece of ``skus`` or of ``categories`` (of
    any article where both are empty); at most ``most_a_sale``. ``attendance``: with ``in_a_row`` a missed day loses
    what is not full yet. ``tasks``: each gives one.
    """

    per: Per = Per.SALE
    min_fen: int = 0
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    most_a_sale: int | None = None
    in_a_row: bool = False
    tasks: tuple[Task, ...] = ()


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as it stands. ``reward`` are coupon templates; empty ``stores`` and ``levels`` do not limit.

    ``level``: a full card gives it for ``level_months`` months besides.

    ``per_member`` is how many rewards one member may have (None: any number).
    """

    id: str
    title: str
    note: str
    kind: CampaignKind
    state: CampaignState
    goal: int
    earning: Earning
    reward: tuple[str, ...]
    level: str | None
    level_months: int | None
    per_member: int | None
    stores: tuple[str, ...]
    levels: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    sort: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None

    def runs_at(self, at: datetime) -> bool:
        """Whether what happens at that instant is given stamps, as long as nobody pauses or ends it."""
        return (
            self.state is CampaignState.ACTIVE
            and (self.starts_at is None or self.starts_at <= at)
            and (self.ends_at is None or at < self.ends_at)
        )


class Stamps(msgspec.Struct, frozen=True):
    """What a member has in a campaign: stamps ``held``, stamps ``owed`` after refunds, and ``rewards`` so far."""

    held: int = 0
    owed: int = 0
    rewards: int = 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A member's card. ``last_on`` is the last day of an attendance; ``waiting``: it is full and not yet a reward."""

    member_id: int
    campaign_id: str
    stamps: Stamps
    last_on: date | None = None
    waiting: bool = False
    closed_at: datetime | None = None


class Given(msgspec.Struct, frozen=True):
    """What was given for a source, and how much of it a refund took back."""

    source: str
    given: int
    taken: int
    at: datetime


class CampaignCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card as lists of several domains show it; ``have`` is at most ``goal``, ``ends_on`` the last local day."""

    id: str
    title: str
    have: int
    goal: int
    full: bool
    ends_on: date | None


class SoldLine(msgspec.Struct, frozen=True):
    """A line of a sale's document, as much of it as stamps ask for."""

    line_no: int
    sku: str
    qty: int
    payable_fen: int
    category: str | None = None


class SoldTender(msgspec.Struct, frozen=True):
    """A tender of a sale's document."""

    type: str
    amount_fen: int


class SoldCoupon(msgspec.Struct, frozen=True):
    """A coupon of a sale's document: what it took off each line."""

    by_line: tuple[tuple[int, int], ...]


class SoldBody(msgspec.Struct, frozen=True):
    """What was sold, and how it was paid."""

    lines: tuple[SoldLine, ...]
    tenders: tuple[SoldTender, ...]
    coupons: tuple[SoldCoupon, ...] = ()


class SoldProgress(msgspec.Struct, frozen=True):
    """What refunds gave back so far: by the positions of lines and of tenders; empty where there was none."""

    line_qty: tuple[int, ...] = ()
    line_fen: tuple[int, ...] = ()
    tender_fen: tuple[int, ...] = ()
