"""Bodies and answers of changes of many members."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.audience.types import EVERYBODY, Audience
from backend.kernel.http import Body

from ..types import BatchState

Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Word = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$(?!\n)")]
Value = (
    Annotated[str, Meta(max_length=200)]
    | Annotated[int, Meta(ge=-(10**15), le=10**15)]
    | bool
    | Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=50)]
    | None
)
Change = Annotated[dict[Word, Value], Meta(max_length=20)]
Cursor = Annotated[str, Meta(max_length=128)]


class BatchIn(Body, frozen=True):
    """What is to be changed of whom: ``change`` is what ``GET …/kinds`` says of that kind."""

    kind: Word
    reason: Reason
    change: Change = msgspec.field(default_factory=dict)
    audience: Audience = EVERYBODY


class BatchesQuery(Body, frozen=True):
    """A page of batches."""

    state: BatchState | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class RowsQuery(Body, frozen=True):
    """A page of a batch's members; ``result``: only those, for example ``changed``."""

    result: Word | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class KindOut(msgspec.Struct):
    """Something that can be changed of many: ``change`` is the JSON schema of what says how."""

    code: str
    title: str
    permission: str
    change: dict[str, Any]


class KindsOut(msgspec.Struct):
    """What the caller may change of many."""

    items: list[KindOut]
    alone_max: int


class PreviewOut(msgspec.Struct):
    """How many members are meant now, the first of them, and whether a second person decides."""

    members: int
    needs_approval: bool
    first: list[MeantOut]


class MeantOut(msgspec.Struct):
    """A member who is meant."""

    id: str
    member_no: str
    name_masked: str
    store_id: str | None
    level: str


class BatchOut(msgspec.Struct, kw_only=True):
    """A batch and how far it is; ``results`` counts its members by what became of them.

    ``failed_member_id`` could not be changed at the last try, for an error of the kind ``failure``.
    """

    id: str
    kind: str
    title: str
    reason: str
    state: BatchState
    change: msgspec.Raw
    audience: msgspec.Raw
    members: int
    done: int
    changed: int
    results: dict[str, int]
    staff_id: str
    staff_name: str
    store_id: str | None
    approval_id: str | None
    failed_member_id: str | None
    failed_member_no: str | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


class BatchesOut(msgspec.Struct):
    """A page, newest first; ``next_cursor`` is None at the end."""

    items: list[BatchOut]
    next_cursor: str | None


class RowOut(msgspec.Struct):
    """A member of a batch and what became of it; None while it is still to come."""

    member_id: str
    member_no: str
    name_masked: str
    result: str | None


class RowsOut(msgspec.Struct):
    """A page by member; ``next_cursor`` is None at the end."""

    items: list[RowOut]
    next_cursor: str | None


class SetValidity(Body, frozen=True):
    """The days (both included) that a membership is good for; None: without a beginning or an end."""

    valid_from: date | None = None
    valid_until: date | None = None


class ExtendValidity(Body, frozen=True):
    """How much longer a membership is good; from today, where it is over."""

    months: Annotated[int, Meta(ge=0, le=120)] = 0
    days: Annotated[int, Meta(ge=0, le=3650)] = 0


class NoMore(Body, frozen=True):
    """Nothing else is to be said."""
