"""Shapes of rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero
from backend.points.schemas import ConditionIn, Title

from .types import RuleState, Terms


class DiscountTermsIn(Body, kw_only=True):
    """What a rule gives: exactly one of ``rate_bp`` and ``piece_fen``."""

    condition: ConditionIn = ConditionIn()
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
