"""Earning rules, and what they give, as the other domains meet them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec


class RuleKind(StrEnum):
    """A base rule earns; a promotion adds to what a base rule gave."""

    BASE = "base"
    PROMOTION = "promotion"


class RuleState(StrEnum):
    """How a rule stands: being written, living, out of force for a while, over for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Birthday(StrEnum):
    """When a member's birthday counts: on the day, in its week (Monday to Sunday), or in its month."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Hours(msgspec.Struct, frozen=True):
    """A part of each day in the store's zone: minutes since midnight, ``start`` included, ``end`` not."""

    start: int
    end: int


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """When a rule applies to a line. Everything that is said must hold; an empty list says nothing.

    Days and hours are those of the store. ``first_on`` and ``last_on`` both count; ``weekdays`` are 1 (Monday) to 7;
    ``min_fen`` is the least that the whole purchase costs.
    """

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    hours: tuple[Hours, ...] = ()
    first_on: date | None = None
    last_on: date | None = None
    birthday: Birthday | None = None
    min_fen: int = 0


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a version of a rule says.

    A base rule: ``rate_bp`` points per ¥1 in 1/10000, times the member's multiplier where ``by_level``. A promotion:
    the base points times ``times_bp`` (20000 doubles them), and ``plus`` points for each line; with ``stackable`` it
    adds to other such ones, else it stands alone; ``day_cap`` is the most that it adds for a member on a day.
    """

    condition: Condition = Condition()
    rate_bp: int = 0
    by_level: bool = True
    times_bp: int = 10_000
    plus: int = 0
    stackable: bool = False
    day_cap: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a rule, and from when until when it lives (``until_at`` None: still)."""

    id: str
    version: int
    kind: RuleKind
    title: str
    terms: Terms
    from_at: datetime
    until_at: datetime | None = None

    @property
    def reference(self) -> str:
        """How a purchase's document names it."""
        return f"{self.id}/{self.version}"


class Extra(msgspec.Struct, frozen=True):
    """What a promotion added to a line; ``rule`` is its ``id/version``."""

    rule: str
    points: int


class LineEarned(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a line earned in all, by which base rule (``id/version``; None: the standard rule), and what was added."""

    line_no: int
    points: int
    rule: str | None = None
    extras: tuple[Extra, ...] = ()


class CapUse(msgspec.Struct, frozen=True):
    """What a purchase takes of a promotion's most for a member and a day."""

    mark: str
    points: int
    cap: int


class Earned(msgspec.Struct, frozen=True):
    """What a purchase earns, by line."""

    lines: tuple[LineEarned, ...] = ()
    caps: tuple[CapUse, ...] = ()

    @property
    def points(self) -> int:
        """All of it."""
        return sum(line.points for line in self.lines)

    @property
    def kept(self) -> tuple[LineEarned, ...]:
        """The lines as the purchase's document keeps them: none where the standard rule alone gave."""
        return self.lines if any(line.rule or line.extras for line in self.lines) else ()


class EarningLine(msgspec.Struct, frozen=True):
    """A line as rules meet it.

    ``earning_fen`` is what it costs less its shares of coupons, points, rebate and bonus; ``rate_bp`` its category's
    rate, of which 0 says that it never earns.
    """

    line_no: int
    sku: str
    category: str | None
    brand: str | None
    earning_fen: int
    rate_bp: int


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys, where and when. ``at`` is the store's own time; both rates are in 1/10000.

    ``payable_fen`` is what the whole purchase costs; ``taken`` is what promotions added for this member on this day
    before, by mark, as far as somebody looked.
    """

    level: str
    multiplier_bp: int
    per_yuan_bp: int
    most_times_bp: int
    birthday: date | None
    store_id: str
    at: datetime
    taken: Mapping[str, int] = {}


class Earning(msgspec.Struct, frozen=True):
    """The occasion of a purchase with the rules that lived then."""

    occasion: Occasion
    rules: tuple[Rule, ...] = ()


class NamedRule(msgspec.Struct, frozen=True):
    """A rule that gave so many points; ``id`` and ``version`` None: the chain's standard rule."""

    id: str | None
    version: int | None
    title: str
    points: int


class EarnedLine(msgspec.Struct, frozen=True):
    """What a line earns, for whoever asks why: the base rule that gives most, and what promotions add."""

    line_no: int
    points: int
    base: NamedRule
    promotions: list[NamedRule]


class TransferState(StrEnum):
    """How a transfer between members stands; staff reversed it, or nobody did."""

    DONE = "done"
    REVERSED = "reversed"


class AdjustReason(StrEnum):
    """Why staff give points or take them."""

    COMPENSATION = "compensation"
    CORRECTION = "correction"
    GOODWILL = "goodwill"
    ABUSE = "abuse"
    MIGRATION = "migration"
    OTHER = "other"


class Adjusting(msgspec.Struct, frozen=True, kw_only=True):
    """Points that staff give (or take, where it is negative); ``text`` is why, in words, ``by`` who wanted it."""

    id: str
    member_id: int
    points: int
    reason: AdjustReason
    text: str
    by: int
    expires_on: date | None = None
    approval_id: str | None = None


class BatchState(StrEnum):
    """How a batch of adjustments stands: ``waiting`` for a second person, ``running``, over; ``failed``: given up."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"
