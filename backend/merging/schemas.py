"""Bodies and answers of the calls about merging."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import CandidateState, Moved, Why

_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)"
Reason = Annotated[str, Meta(min_length=1, max_length=300, pattern=_TEXT)]
Number = Annotated[str, Meta(min_length=1, max_length=12, pattern=r"^[0-9]+$(?!\n)", description="会员号")]
Cursor = Annotated[str, Meta(max_length=128)]


class TwoIn(Body):
    """Which member becomes part of which: the source's number, and the one to keep."""

    source_no: Number
    target_no: Number


class MergeIn(TwoIn):
    """The same, and why."""

    reason: Reason


class DismissIn(Body):
    """Why two members are two people."""

    note: Annotated[str, Meta(max_length=300, pattern=_TEXT)] = ""


class CandidatesQuery(Body):
    """Which pairs."""

    state: CandidateState = CandidateState.OPEN
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class MergesQuery(Body):
    """Which merges: all, or those by which one member became who they are."""

    member_no: Number | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class SideOut(msgspec.Struct, kw_only=True):
    """One of two members; ``name`` and ``phone`` masked."""

    id: str
    member_no: str
    name: str
    phone: str
    birthday: date | None
    level: str
    status: str
    store_id: str | None
    joined_at: datetime
    value: Moved


class HeldOut(msgspec.Struct, kw_only=True):
    """How much of one thing each of the two has (10,000 at most are counted), and what becomes of the source's.

    ``becomes``: ``moves``, ``joined`` (decided piece by piece) or ``stays`` (history under the old number, shown with
    the other's).
    """

    title: str
    source: int
    target: int
    becomes: str


class ClashOut(msgspec.Struct):
    """What both have and one is kept of."""

    code: str
    title: str
    kept: str


class ObstacleOut(msgspec.Struct):
    """What is under way and must be over first."""

    code: str
    title: str
    ids: list[str]


class PreviewOut(msgspec.Struct, kw_only=True):
    """Two members side by side, and what merging them would do. It cannot be undone."""

    source: SideOut
    target: SideOut
    held: list[HeldOut]
    clashes: list[ClashOut]
    obstacles: list[ObstacleOut]
    undo: bool = False


class AskedOut(msgspec.Struct):
    """The approval that waits for a second person."""

    approval_id: str
    status: str


class MergeOut(msgspec.Struct, kw_only=True):
    """One merge."""

    id: str
    source_no: str
    target_no: str
    target_id: str
    approval_id: str
    asked_by: str
    decided_by: str
    reason: str
    moved: Moved
    at: datetime


class MergesOut(msgspec.Struct):
    """A page of merges, newest first."""

    items: list[MergeOut]
    next_cursor: str | None


class PersonOut(msgspec.Struct):
    """One of a pair; the name masked."""

    id: str
    member_no: str
    name: str
    store_id: str | None
    level: str
    status: str


class CandidateOut(msgspec.Struct, kw_only=True):
    """A pair that may be one person."""

    id: str
    why: Why
    state: CandidateState
    birthday: date | None
    one: PersonOut
    other: PersonOut
    found_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str


class CandidatesOut(msgspec.Struct):
    """A page of pairs, those found last first."""

    items: list[CandidateOut]
    next_cursor: str | None
