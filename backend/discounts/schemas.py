"""Shapes of rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero
from backend.points.types import Birthday

from .types import RuleState, Terms

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Codes = Annotated[tuple[Code, ...], Meta(max_length=200)]
Minute = Annotated[int, Meta(ge=0, le=1440, description="一天中的第几分钟")]


class DiscountHoursIn(Body):
    """A part of each day: minutes since midnight in the store's zone, ``start`` included, ``end`` not."""

    start: Minute
    end: Minute


class DiscountConditionIn(Body, kw_only=True):
    """When a rule holds for a line: everything that is said must hold, an empty list says nothing."""

    categories: Codes = ()
    brands: Codes = ()
    skus: Codes = ()
    stores: Codes = ()
    levels: Codes = ()
    weekdays: Annotated[tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(max_length=7)] = ()
    month_days: Annotated[tuple[Annotated[int, Meta(ge=1, le=31)], ...], Meta(max_length=31)] = ()
    dates: Annotated[tuple[date, ...], Meta(max_length=100)] = ()
    hours: Annotated[tuple[DiscountHoursIn, ...], Meta(max_length=6)] = ()
    first_on: date | None = None
    last_on: date | None = None
    birthday: Birthday | None = None
    min_fen: FenOrZero = 0


class DiscountTermsIn(Body, kw_only=True):
    """What a rule gives: exactly one of ``rate_bp`` and ``piece_fen``."""

    condition: DiscountConditionIn = DiscountConditionIn()
    rate_bp: Annotated[int, Meta(ge=0, le=10_000, description="减去的万分之几，2000 为八折")] = 0
    piece_fen: Annotated[FenOrZero, Meta(description="每件减去的金额")] = 0
    stackable: bool = False
    priority: Annotated[int, Meta(ge=0, le=1000)] = 0


class DiscountRuleIn(Body, kw_only=True):
    """A rule; it begins as a draft. What is changed of a living one holds from now on."""

    title: Title
    terms: DiscountTermsIn


class DiscountRuleOut(msgspec.Struct, kw_only=True):
    """A rule as it stands."""

    id: str
    title: str
    state: RuleState
    version: int
    terms: Terms
    created_at: datetime
    updated_at: datetime


class DiscountRulesOut(msgspec.Struct):
    """Rules, the newest first."""

    items: list[DiscountRuleOut]


class DiscountRulesQuery(Body):
    """Which rules."""

    state: RuleState | None = None
