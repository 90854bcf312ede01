"""Bodies and answers of approvals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import ApprovalState

_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)"
Note = Annotated[str, Meta(max_length=300, pattern=_TEXT)]


class ApproveIn(Body, frozen=True):
    """What the second person says to it."""

    note: Note = ""


class RejectIn(Body, frozen=True):
    """Why it is not done."""

    note: Annotated[str, Meta(min_length=1, max_length=300, pattern=_TEXT)]


class ApprovalsQuery(Body, frozen=True):
    """Which of those that the caller may see; ``mine``: asked by the caller, ``todo``: waiting for the caller."""

    state: ApprovalState | None = None
    kind: Annotated[str, Meta(max_length=40)] | None = None
    mine: bool = False
    todo: bool = False
    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class ApprovalOut(msgspec.Struct, kw_only=True):
    """One request, with what is to be done, and what the caller may do with it."""

    id: str
    kind: str
    title: str
    state: ApprovalState
    store_id: str | None
    summary: str
    reason: str
    body: msgspec.Raw
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    note: str
    decidable: bool
    withdrawable: bool


class ApprovalsOut(msgspec.Struct):
    """A page, newest first; ``next_cursor`` is None at the end."""

    items: list[ApprovalOut]
    next_cursor: str | None


class TiedQuery(Body, frozen=True):
    """How many days a login counts as its maker's, too."""

    days: Annotated[int, Meta(ge=1, le=3650)] = 30
    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class PersonOut(msgspec.Struct):
    """A login, by id and name."""

    id: str
    name: str


class TiedOut(msgspec.Struct, kw_only=True):
    """An approval whose two logins one person may have held then: each of ``held_by`` may have."""

    id: str
    kind: str
    title: str
    store_id: str | None
    summary: str
    asked_by: PersonOut
    asked_at: datetime
    decided_by: PersonOut
    decided_at: datetime
    held_by: list[PersonOut]


class TiedsOut(msgspec.Struct):
    """Those among the ``limit`` approvals that were looked at; ``next_cursor`` is None at the end."""

    items: list[TiedOut]
    next_cursor: str | None


class KindOut(msgspec.Struct):
    """Something that needs a second person."""

    code: str
    title: str
    permission: str


class KindsOut(msgspec.Struct):
    """All kinds, by title."""

    items: list[KindOut]
