"""Batches of changes, as they stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class BatchState(StrEnum):
    """How far a batch is; ``waiting``: for a second person."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class MemberBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One change of many members: ``meant`` many, of whom ``done`` were looked at and ``changed`` changed.

    ``change`` and ``audience`` are JSON, as they were asked for; ``store_id`` is the store of who asked.
    """

    id: str
    kind: str
    reason: str
    state: BatchState
    change: msgspec.Raw
    audience: msgspec.Raw
    meant: int
    done: int
    changed: int
    staff_id: int
    store_id: str | None
    approval_id: str | None
    created_at: datetime
    ended_at: datetime | None


class BatchRow(msgspec.Struct, frozen=True):
    """A member of a batch; ``result``: ``changed``, ``unchanged``, why not, or None while it is still to come."""

    member_id: int
    result: str | None
