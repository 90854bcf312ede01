"""Bodies and answers of the campaigns' calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero

from .types import CampaignKind, CampaignState, Earning, Per, TaskOn

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)", description="活动说明")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Codes = Annotated[tuple[Code, ...], Meta(max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]
TemplateId = Annotated[str, Meta(min_length=1, max_length=16)]


class TaskIn(Body):
    """One of the things to do; ``on`` is what ticks it off."""

    code: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[a-z0-9_-]+$(?!\n)")]
    title: Title
    on: TaskOn = TaskOn.STAFF


class EarningIn(Body):
    """How stamps are earned; which fields mean something, the campaign's kind says."""

    per: Per = Per.SALE
    min_fen: FenOrZero = 0
    skus: Codes = ()
    categories: Codes = ()
    most_a_sale: Annotated[int, Meta(ge=1, le=1000)] | None = None
    in_a_row: bool = False
    tasks: Annotated[tuple[TaskIn, ...], Meta(max_length=20)] = ()


class CampaignIn(Body, kw_only=True):
    """A campaign; it begins as a draft, and may be changed until it is activated."""

    title: Title
    note: Note = ""
    kind: CampaignKind
    goal: Annotated[int, Meta(ge=1, le=1000, description="集满几个")]
    earning: EarningIn = EarningIn()
    reward: Annotated[tuple[TemplateId, ...], Meta(min_length=1, max_length=5, description="奖励的优惠券模板")]
    level: Annotated[Code, Meta(description="集满另给的会员等级")] | None = None
    level_months: Annotated[int, Meta(ge=1, le=120, description="等级给几个月")] | None = None
    per_member: Annotated[int, Meta(ge=1, le=1000, description="每人最多几次奖励")] | None = None
    stores: Codes = ()
    levels: Codes = ()
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0


class CampaignOut(msgspec.Struct, kw_only=True):
    """A campaign as staff see it."""

    id: str
    title: str
    note: str
    kind: CampaignKind
    state: CampaignState
    goal: int
    earning: Earning
    reward: list[str]
    level: str | None
    level_months: int | None
    per_member: int | None
    stores: list[str]
    levels: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    sort: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class CampaignsQuery(Body):
    """Which campaigns."""

    state: CampaignState | None = None


class CampaignsOut(msgspec.Struct):
    """The last hundred campaigns, newest first."""

    items: list[CampaignOut]


class StatisticsOut(msgspec.Struct):
    """A campaign in numbers: members with a card, stamps given and taken back, rewards, cards that wait for one."""

    cards: int
    given: int
    taken: int
    rewards: int
    waiting: int


class TickIn(Body):
    """Which task was done."""

    task: Annotated[str, Meta(min_length=1, max_length=20)]


class TaskOut(msgspec.Struct):
    """A task, and whether this member did it."""

    code: str
    title: str
    done: bool


CardState = Literal["collecting", "full", "complete"]


class CampaignCardOut(msgspec.Struct, kw_only=True):
    """A campaign, and this member's card in it.

    ``full``: it waits for its reward. ``complete``: as many rewards as one may have. ``checked_in`` is for attendances:
    whether today has its stamp.
    """

    id: str
    title: str
    note: str
    kind: CampaignKind
    state: CardState
    have: int
    goal: int
    owed: int
    rewards: int
    per_member: int | None
    reward: list[str]
    rule: str
    starts_at: datetime | None
    ends_at: datetime | None
    checked_in: bool | None
    tasks: list[TaskOut]


class CampaignCardsOut(msgspec.Struct):
    """The campaigns that this member can take part in, with what was collected in each."""

    items: list[CampaignCardOut]


class GivenOut(msgspec.Struct):
    """Stamps that were given, for a sale, a day or a task; ``taken`` of them went back with a refund."""

    at: datetime
    source: Literal["sale", "day", "task"]
    reference: str
    given: int
    taken: int


class CampaignCardDetail(CampaignCardOut, kw_only=True):
    """A card with the last fifty things it was given stamps for, newest first."""

    given: list[GivenOut]


class CheckInOut(msgspec.Struct):
    """The card after checking in; ``stamped``: this was the day's first time."""

    card: CampaignCardOut
    stamped: bool
    coupon_ids: list[str]


class RedeemOut(msgspec.Struct):
    """The card after it became its reward, and the coupons."""

    card: CampaignCardOut
    coupon_ids: list[str]
