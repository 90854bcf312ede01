"""Rows of this domain, as structs."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from .types import BatchState, RuleKind, RuleState, Terms, TransferState


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


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of adjustments; ``rows`` are those that are posted, ``skipped`` were bad.

    ``failed_row`` could not be posted at the last try, for a reason of the kind ``failure``.
    """

    id: str
    title: str
    state: BatchState
    rows: int
    skipped: int
    given: int
    taken: int
    staff_id: int
    store_id: str | None
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a batch, as the table had it."""

    row_no: int
    member_id: int
    points: int
    reason: str
    note: str
    expires_on: date | None
    refusal: str | None
