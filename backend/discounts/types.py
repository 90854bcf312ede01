"""Rules of discounts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from backend.points.types import Condition


class RuleState(StrEnum):
    """How a rule stands: being written, living, out of force for a while, over for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Terms(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a rule says: ``rate_bp`` off a line in 1/10000 (2000 is 八折), or ``piece_fen`` off each piece.

    ``stackable``: the level's discount is taken off what is left; else the better of both is. ``priority``: of the
    rules that hold for a line only those of the highest compete.
    """

    condition: Condition = Condition()
    rate_bp: int = 0
    piece_fen: int = 0
    stackable: bool = False
    priority: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands; ``version`` counts what it said while it lived."""

    id: str
    title: str
    state: RuleState
    version: int
    terms: Terms
    created_at: datetime
    updated_at: datetime

    @property
    def reference(self) -> str:
        """How a sale's document names it."""
        return f"{self.id}/{self.version}"
