"""Bodies and answers of imports, and of members whom staff make."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.members.types import Gender, Status

from ..types import ImportState, StoreId
from .batches import Cursor

Title = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]


class ImportQuery(Body, frozen=True):
    """How a table is taken in: as which file; a ``dry_run`` is only read, ``skip_bad`` leaves bad rows out."""

    title: Title
    kind: Literal["csv", "xlsx"] = "csv"
    dry_run: bool = False
    skip_bad: bool = False


class ImportsQuery(Body, frozen=True):
    """A page of imports."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class StartIn(Body, frozen=True):
    """Whether bad rows are left out."""

    skip_bad: bool = False


class FlawOut(msgspec.Struct):
    """What is wrong with a column of a row, as a spreadsheet counts them; ``column`` and ``text`` are for people."""

    row: int
    field: str
    message: str
    column: str
    text: str


class ImportOut(msgspec.Struct, kw_only=True):
    """An import: how far it is, what its good rows open with, the first hundred flaws, and what became of its rows."""

    id: str
    title: str
    kind: str
    skip_bad: bool
    dry_run: bool
    state: ImportState
    total: int
    good: int
    bad: int
    done: int
    made: int
    claimed: int
    points: int
    principal_fen: int
    bonus_fen: int
    needs_approval: bool
    results: dict[str, int]
    result_texts: dict[str, str]
    flaws: list[FlawOut]
    staff_name: str
    approval_id: str | None
    failed_row: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


class ImportsOut(msgspec.Struct):
    """A page, newest first, without flaws; ``next_cursor`` is None at the end."""

    items: list[ImportOut]
    next_cursor: str | None


class AgreedIn(Body, frozen=True):
    """A purpose that somebody agreed to, and the version of its text that they read."""

    purpose: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,23}$(?!\n)")]
    version: Annotated[int, Meta(ge=1, le=1_000_000)]


class CreateAtTill(Body, frozen=True):
    """Somebody whom a till makes a member of its store; who claims it later proves the phone.

    ``consents`` is what they agreed to there (`GET /v1/privacy/purposes` has the texts); ``consents_note`` says where
    the paper lies, or why they agreed to nothing. What is required is asked for again on their phone.
    """

    phone: Annotated[str, Meta(pattern=r"^\+?[0-9]{6,15}$(?!\n)")]
    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
    birthday: date | None = None
    gender: Gender | None = None
    card_no: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{4,32}$(?!\n)")] | None = None
    consents: Annotated[tuple[AgreedIn, ...], Meta(max_length=20)] = ()
    consents_note: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""


class CreateIn(CreateAtTill, frozen=True):
    """Somebody whom staff make a member at the counter, of their own store unless they name another."""

    store_id: StoreId | None = None


class CreatedOut(msgspec.Struct):
    """Who was made, and whether somebody has to look at it first."""

    id: str
    member_no: str
    name: str
    phone_masked: str
    status: Status
    store_id: str | None
