"""Rows of this domain, as structs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .types import RuleKind, RuleState, Terms, TransferState


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands; ``version`` is the last one that lived, 0 before the first."""

    id: str
    kind: RuleKind
    title: str
    state: RuleState
    version: int
    terms: Terms
    created_at: datetime
    updated_at: datetime


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Points that went from one member to another."""

    id: str
    giver_id: int
    receiver_id: int
    points: int
    state: TransferState
    at: datetime
    reversed_at: datetime | None
