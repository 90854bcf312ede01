"""Groups, their people, and agreements with key accounts (public)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

MOST_MEMBERS = 1_000

LevelCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,20}$(?!\n)")]


class GroupRole(StrEnum):
    """``owner`` answers for the group, ``manager`` invites and removes, ``member`` belongs to it."""

    OWNER = "owner"
    MANAGER = "manager"
    MEMBER = "member"


class GroupState(StrEnum):
    """A closed group lends nothing, and nobody joins it."""

    OPEN = "open"
    CLOSED = "closed"


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The level that a group reaches when its people spent so much together within the group's months."""

    level: LevelCode
    spend_fen: Annotated[int, Meta(ge=1, le=10**12)]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group. ``level`` is agreed, ``earned_level`` reached by ``rules`` and held until ``earned_until``."""

    id: str
    number: str
    name: str
    contact: str
    note: str
    state: GroupState
    store_id: str | None
    level: str | None
    discount_bp: int | None
    member_limit: int
    months: int
    rules: tuple[GroupRule, ...]
    earned_level: str | None
    earned_until: date | None
    version: int
    created_at: datetime


class SubMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who belongs to a group, or did."""

    id: str
    group_id: str
    member_id: int
    role: GroupRole
    joined_at: datetime
    left_at: datetime | None


class AllotmentKind(StrEnum):
    """What is allotted."""

    STORED = "stored"
    POINTS = "points"


class Allotment(msgspec.Struct, frozen=True, kw_only=True):
    """What a group's owner allotted to one of its people; ``taken`` of it was taken back. ``staff_id``: who did it."""

    id: str
    group_id: str
    principal_id: int
    member_id: int
    kind: AllotmentKind
    amount: int
    taken: int
    staff_id: int | None
    note: str
    at: datetime
    updated_at: datetime


class BatchState(StrEnum):
    """Where a table of allotments is: it waits for a second person, is posted, given up (``failed``), or over."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"


class AllotBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A table of allotments out of what one owner has; ``owner_id`` is who that is among the group's people.

    ``rows`` are those that are posted, ``skipped`` were bad; ``failed_row`` could not be posted at the last try.
    """

    id: str
    group_id: str
    owner_id: str
    title: str
    state: BatchState
    rows: int
    skipped: int
    stored_fen: int
    points: int
    staff_id: int
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


class AllotRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of such a table: fen or points for somebody of the group."""

    row_no: int
    person_id: str
    member_no: str
    kind: AllotmentKind
    amount: int
    note: str
    refusal: str | None


class KeyAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement with one member: who looks after them, the least discount, whether the level is held."""

    member_id: int
    staff_id: int
    discount_bp: int | None
    level_locked: bool
    note: str
    since: datetime


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one sub-member bought for a group, and gave back of it."""

    member_id: int
    purchases: int
    spent_fen: int
    back_fen: int
