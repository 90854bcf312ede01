"""Rules, facts and standings (public)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.members.types import Stage

MOST_MONTHS = 36
Months = Annotated[int, Meta(ge=0, le=MOST_MONTHS)]
Amount = Annotated[int, Meta(ge=1, le=10**11)]


class Match(StrEnum):
    """Whether all or any of several thresholds must be met."""

    ALL = "all"
    ANY = "any"


class WindowKind(StrEnum):
    """Over which purchases is counted: all there ever were (what was brought along too), those since joining, those of
    the last months up to today, or those of the calendar year."""

    EVER = "ever"
    JOINED = "joined"
    MONTHS = "months"
    YEAR = "year"


class PeriodKind(StrEnum):
    """For how long a level is held: for good, for months from the day on, or to the end of a calendar year."""

    OPEN = "open"
    MONTHS = "months"
    YEAR = "year"


class Fall(StrEnum):
    """Where a member goes whose level was not kept: one level down, or to what the balance reaches."""

    STEP = "step"
    BALANCE = "balance"


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be counted: net spending, points earned, purchases; ``match`` says whether all of them or any."""

    spend_fen: Amount | None = None
    points: Amount | None = None
    purchases: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    match: Match = Match.ALL


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``months`` only of the kind ``months``."""

    kind: WindowKind = WindowKind.EVER
    months: Annotated[int, Meta(ge=1, le=MOST_MONTHS)] = 12


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``months`` of the kind ``year``: the calendar year in which the day so many months later lies (0: this one)."""

    kind: PeriodKind = PeriodKind.OPEN
    months: Months = 12


class LevelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a level is reached, held and lost. ``reach`` None: by no purchase, only by a grant.

    ``keep`` is counted within the period; None: the same as ``reach``. ``grace_days`` after its end it is still held,
    and can still be kept.
    """

    reach: Thresholds | None = None
    window: Window = Window()
    period: Period = Period()
    keep: Thresholds | None = None
    grace_days: Annotated[int, Meta(ge=0, le=90)] = 0
    fall: Fall = Fall.STEP


class Programme(msgspec.Struct, frozen=True):
    """The rules by level, in force from an instant on; a level without one is reached by growth and held for good."""

    version: int
    since: datetime
    rules: dict[str, LevelRule]


class Rung(msgspec.Struct, frozen=True):
    """A level with its rule."""

    code: str
    rule: LevelRule


class Totals(msgspec.Struct, frozen=True):
    """What was counted."""

    spend_fen: int = 0
    points: int = 0
    purchases: int = 0


class Purchase(msgspec.Struct, frozen=True):
    """A purchase: what was paid for it but by coupons, and the points it earned. ``on`` is its day (chain's zone)."""

    id: str
    at: datetime
    on: date
    spent_fen: int
    points: int


class Return(msgspec.Struct, frozen=True):
    """What came back of a purchase."""

    id: str
    sale_id: str
    at: datetime
    on: date
    fen: int
    points: int


class Facts(msgspec.Struct, frozen=True):
    """What a member's standing follows from. ``older`` is what was bought before the first of ``purchases``.

    ``older_joined`` is what of it was bought since joining, ``brought_fen`` is growth that no purchase here made.
    """

    joined_on: date
    purchases: tuple[Purchase, ...] = ()
    returns: tuple[Return, ...] = ()
    older: Totals = Totals()
    older_joined: Totals = Totals()
    brought_fen: int = 0


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level, since when, and its period (``until`` None: for good); ``sale_id`` is the purchase that brought it.

    ``before`` is the standing that it goes back to if that purchase is given back within the period.
    """

    level: str
    since: date
    start: date
    until: date | None = None
    sale_id: str | None = None
    before: Standing | None = None


class Why(StrEnum):
    """Why a level changed, or its period was renewed (``kept``)."""

    PROMOTED = "promoted"
    KEPT = "kept"
    FELL = "fell"
    TAKEN_BACK = "taken_back"
    GRANTED = "granted"
    GRANT_ENDED = "grant_ended"
    CORRECTED = "corrected"
    RULES = "rules"


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a standing: the day, why, from which level to which, until when then, and by which purchase."""

    on: date
    why: Why
    source: str
    level: str
    until: date | None = None
    sale_id: str | None = None


class Source(StrEnum):
    """Who gave a level: staff by hand, a campaign, or a purchase of the level itself."""

    HAND = "hand"
    CAMPAIGN = "campaign"
    BOUGHT = "bought"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A level that was given, to the end of a day or for good; ``ended_at`` where it was taken away before."""

    id: str
    member_id: int
    level: str
    source: Source
    reason: str
    until: date | None
    staff_id: int | None
    at: datetime
    ended_at: datetime | None
    ended_by: int | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a member's history of levels; ``by`` names the purchase, grant or person behind it.

    ``place`` is where it stands among the lines of one moment.
    """

    seq: int
    place: str
    at: datetime
    on: date
    why: Why
    source: str
    level: str
    until: date | None
    by: str | None
    note: str | None


class StageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of the rules of stages: all conditions that are given must hold; none are given: it always holds.

    ``bought`` is whether anything was ever bought and kept; ``idle_days_from`` that so many days have passed since the
    last purchase; ``purchases_from`` that many purchases within ``within_days`` (None: ever); ``joined_within_days``
    that the member joined at most so many days ago.
    """

    stage: Stage
    bought: bool | None = None
    idle_days_from: Annotated[int, Meta(ge=1, le=3650)] | None = None
    purchases_from: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    joined_within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class RunKind(StrEnum):
    """What a run does: look at everybody, at those whose day has come, at those whom nobody has looked at yet, or only
    say what new rules would change."""

    ALL = "all"
    DUE = "due"
    NEW = "new"
    PREVIEW = "preview"


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A look at many members: ``total`` when it began, ``done`` so far, ``moves`` by level before and after."""

    id: str
    kind: RunKind
    state: RunState
    day: date
    total: int
    done: int
    changed: int
    moves: dict[str, dict[str, int]]
    staff_id: int | None
    created_at: datetime
    ended_at: datetime | None
