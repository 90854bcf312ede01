"""Bodies and answers of care's calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.audience.types import Audience
from backend.kernel.http import Body

from .types import Effect, Gift, Given, How, On, PlanState, Trigger

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
LongNote = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
TemplateCode = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9_.-]+$(?!\n)")]
RowId = Annotated[str, Meta(min_length=1, max_length=19, pattern=r"^[0-9]+$(?!\n)")]
StoreId = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[A-Z0-9]+$(?!\n)")]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]

TaskStatus = Literal["due", "sent", "failed", "open", "overdue", "done", "skipped", "held_out"]
"""How a task stands: as stored, but ``overdue`` for an open one whose day is over."""


class CarePlanIn(Body, kw_only=True):
    """A plan; it begins as a draft, and may be changed until it is started.

    Args:
        template: the letter, for ``how: letter``; a template of care or marketing.
        owner_id: whose the to-dos are; none: the member's store's.
        hour: local hour from which on the day is run.
        due_days: days that staff have for a to-do.
        holdout_bp: share of those found who get nothing, drawn by chance, to compare with (basis points).
        window_days: days within which a purchase counts for the effect.
    """

    title: Title
    note: Note = ""
    audience: Audience = Audience()
    trigger: Trigger
    how: How
    template: TemplateCode | None = None
    gift: Gift | None = None
    owner_id: RowId | None = None
    hour: Annotated[int, Meta(ge=0, le=23)] = 9
    due_days: Annotated[int, Meta(ge=0, le=60)] = 3
    holdout_bp: Annotated[int, Meta(ge=0, le=5_000)] = 0
    window_days: Annotated[int, Meta(ge=1, le=90)] = 14
    starts_on: date | None = None
    ends_on: date | None = None


class CarePlanChangeIn(CarePlanIn, kw_only=True):
    """A draft in place of the one that was read as ``version``."""

    version: Version


class CarePlanOut(msgspec.Struct, kw_only=True):
    """A plan; ``other_gifts`` says what birthdays are given beside it."""

    id: str
    title: str
    note: str
    state: PlanState
    audience: Audience
    trigger: Trigger
    how: How
    template: str | None
    gift: Gift | None
    owner_id: str | None
    hour: int
    due_days: int
    holdout_bp: int
    window_days: int
    starts_on: date | None
    ends_on: date | None
    version: int
    created_at: datetime
    updated_at: datetime
    done_on: date | None
    other_gifts: list[str] = []


class CarePlansQuery(Body):
    """Which plans."""

    state: PlanState | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class CarePlansOut(msgspec.Struct):
    """Plans, newest first."""

    items: list[CarePlanOut]
    next_cursor: str | None


class StartIn(Body):
    """``beside_other_gifts``: a birthday gift is meant beside those that there are."""

    beside_other_gifts: bool = False


class RunOut(msgspec.Struct):
    """A day of a plan: tasks made, members held out; ``done_at`` is null while it is under way."""

    on: date
    made: int
    held_out: int
    begun_at: datetime
    done_at: datetime | None


class RunsOut(msgspec.Struct):
    """The last sixty days, newest first."""

    items: list[RunOut]


class GroupOut(msgspec.Struct):
    """One side of the comparison, as far as it is judged."""

    members: int
    bought: int
    spent_fen: int


class EffectOut(msgspec.Struct, kw_only=True):
    """Whether a plan helps: members who bought within the window, of those cared for and of those held out."""

    window_days: int
    holdout_bp: int
    cared: GroupOut
    held_out: GroupOut
    waiting: int
    effect: Effect
    says: str


class TasksQuery(Body, kw_only=True):
    """Which tasks; ``mine``: those that were given to this person."""

    status: TaskStatus | None = None
    plan_id: Code | None = None
    store_id: StoreId | None = None
    member_id: RowId | None = None
    mine: bool = False
    cursor: Cursor | None = None
    limit: Limit = 50


class CareMemberOut(msgspec.Struct):
    """Whom it is about."""

    id: str
    member_no: str
    name_masked: str
    level: str


class CareTaskOut(msgspec.Struct, kw_only=True):
    """A task; ``title`` is its plan's."""

    id: str
    plan_id: str
    title: str
    on: On
    occasion: str
    how: How
    status: TaskStatus
    member: CareMemberOut
    store_id: str | None
    owner_id: str | None
    made_at: datetime
    due_on: date | None
    gift: Gift | None
    given: Given | None
    note: str
    closed_by: str | None
    closed_at: datetime | None


class CareTasksOut(msgspec.Struct):
    """Tasks, newest first."""

    items: list[CareTaskOut]
    next_cursor: str | None


class FinishIn(Body):
    """How it went."""

    note: LongNote = ""


class SkipIn(Body):
    """Why it will not be done."""

    note: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$(?!\n)")]


class AssignIn(Body):
    """Whose it is from now on; none: the store's."""

    staff_id: RowId | None = None


class NumberOut(msgspec.Struct):
    """The number to call."""

    phone: str


class PeriodQuery(Body, kw_only=True, rename={"first": "from", "last": "to"}):
    """Days, both included, a year at most; a store, or all that this person may see."""

    first: date
    last: date
    store_id: StoreId | None = None


class KindOut(msgspec.Struct, kw_only=True):
    """Tasks that were made in the period, by what for and how."""

    on: On
    how: How
    made: int
    sent: int
    failed: int
    open: int
    overdue: int
    done: int
    skipped: int
    held_out: int


class MostOut(msgspec.Struct):
    """A member, and how often they were cared for."""

    member: CareMemberOut
    times: int


class CareStatisticsOut(msgspec.Struct, kw_only=True):
    """Care in numbers; ``overdue`` are all to-dos whose day is over, whenever they were made."""

    kinds: list[KindOut]
    overdue: int
    most: list[MostOut]


class BirthdaysQuery(Body, kw_only=True):
    """Whose birthday it is on a day (today where none is named), of a store."""

    on: date | None = None
    store_id: StoreId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class BirthdayOut(msgspec.Struct, kw_only=True):
    """A member with their birthday; ``turns`` is how old they become, ``task`` what there is to do or was done."""

    member: CareMemberOut
    store_id: str | None
    turns: int
    task: CareTaskOut | None


class BirthdaysOut(msgspec.Struct):
    """Birthdays of a day, the chain's."""

    on: date
    items: list[BirthdayOut]
    next_cursor: str | None
