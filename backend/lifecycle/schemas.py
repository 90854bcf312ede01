"""Bodies and answers of calls about levels' rules, standings, stages and runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.members.types import Stage

from .types import LevelRule, RunKind, RunState, Source, StageRule

LevelCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,20}$(?!\n)")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)"),
]


class RuleOfLevel(LevelRule, frozen=True, kw_only=True):
    """How one level is reached, held and lost; see there."""

    level: LevelCode


Rules = Annotated[tuple[RuleOfLevel, ...], Meta(max_length=50)]


class RulesIn(Body):
    """The rules of levels; a level that is left out is reached by growth and held for good.

    ``version`` is that of the rules they take the place of (0: there were none).
    """

    version: Annotated[int, Meta(ge=0, le=1_000_000)]
    rules: Rules


class PreviewIn(Body):
    """Rules that nobody has yet, for asking what they would change."""

    rules: Rules


class RulesOut(msgspec.Struct, kw_only=True):
    """The rules in force; ``version`` 0 and ``since`` null: there are none, levels go by growth."""

    version: int
    since: datetime | None
    rules: list[RuleOfLevel]


class RunOut(msgspec.Struct, kw_only=True):
    """A look at many members. ``moves``: how many changed, by level before and after."""

    id: str
    kind: RunKind
    state: RunState
    day: date
    total: int
    done: int
    changed: int
    moves: dict[str, dict[str, int]]
    staff_id: str | None
    created_at: datetime
    ended_at: datetime | None


class RunsOut(msgspec.Struct):
    """Runs, newest first."""

    items: list[RunOut]
    next_cursor: str | None = None


class PageQuery(Body):
    """A page of a list."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class GrantIn(Body):
    """A level that a member is given, to the end of ``until`` (null: for good)."""

    level: LevelCode
    reason: Reason
    until: date | None = None


class EndGrantIn(Body):
    """Why a level that was given is taken away."""

    reason: Reason


class GrantOut(msgspec.Struct, kw_only=True):
    """A level that was given; ``live`` says whether it still holds."""

    id: str
    level: str
    source: Source
    reason: str
    until: date | None
    staff_id: str | None
    at: datetime
    live: bool


class Criterion(msgspec.Struct, kw_only=True):
    """One threshold, and how far it is."""

    metric: str
    wanted: int
    have: int
    missing: int


class Goal(msgspec.Struct, kw_only=True):
    """What reaches or keeps a level: ``criteria`` of which all or any must be met, counted in these days."""

    level: str
    name: str
    match: str
    counted_from: date | None
    counted_until: date | None
    met: bool
    criteria: list[Criterion]


class LevelTerms(msgspec.Struct, kw_only=True):
    """A level as members read it."""

    code: str
    name: str
    discount_bp: int
    points_multiplier_bp: int
    benefits: list[str]


class MyLevelOut(msgspec.Struct, kw_only=True):
    """A member's level: what prices are made with (``level``), the own one, and how it goes on.

    ``lent`` says that a group lends a higher one, ``granted_until`` that it was given until then, ``locked`` that it
    stays as agreed. ``keep`` is what keeps it beyond ``until``, ``next`` what reaches the levels above.
    """

    level: LevelTerms
    own_level: LevelTerms
    lent: bool
    locked: bool
    since: date | None
    until: date | None
    grace_until: date | None
    granted: bool
    granted_until: date | None
    keep: Goal | None
    next: list[Goal]
    ladder: list[LevelTerms]


class MemberLevelOut(MyLevelOut, kw_only=True):
    """The same for staff, with what was given and the stage."""

    grants: list[GrantOut]
    stage: Stage | None
    stage_since: date | None
    growth_fen: int


class EntryOut(msgspec.Struct, kw_only=True):
    """What became of a level: on that day, why, from which to which, until when then."""

    seq: int
    at: datetime
    on: date
    why: str
    source: str
    level: str
    source_name: str
    level_name: str
    until: date | None
    by: str | None
    note: str | None


class HistoryOut(msgspec.Struct):
    """Lines of a history of levels, newest first."""

    items: list[EntryOut]
    next_cursor: str | None = None


class StageRulesIn(Body):
    """The rules of stages in their order; the first that holds decides, and the last always does."""

    version: Annotated[int, Meta(ge=0, le=1_000_000)]
    rules: Annotated[tuple[StageRule, ...], Meta(min_length=1, max_length=30)]


class StageRulesOut(msgspec.Struct):
    """The rules of stages; ``version`` 0: those that the program brings along."""

    version: int
    rules: tuple[StageRule, ...]


class StagesQuery(Body):
    """Which store's members (a store's staff: their own)."""

    store_id: StoreId | None = None


class SpanQuery(Body):
    """Days of the chain's zone, both included, and which store's members (a store's staff: their own)."""

    from_on: date = msgspec.field(name="from")
    to_on: date = msgspec.field(name="to")
    store_id: StoreId | None = None


class FileQuery(SpanQuery):
    """And as which file."""

    format: Literal["csv", "xlsx"] = "csv"


class ChartQuery(SpanQuery):
    """And as which picture."""

    format: Literal["svg", "png"] = "svg"


class StageCount(msgspec.Struct):
    """How many members are in a stage."""

    stage: Stage
    members: int


class StagesOut(msgspec.Struct):
    """How many active members are in each stage now."""

    items: list[StageCount]
    total: int


class StageDay(msgspec.Struct):
    """How many there were at the end of a day."""

    on: date
    items: list[StageCount]


class StageDaysOut(msgspec.Struct):
    """Day by day, as far as they were counted."""

    items: list[StageDay]
