"""Purposes, words to them, archives and erasures as they stand."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec


class Place(StrEnum):
    """Where a word was said: on the phone, at a till, written down by staff, known from an import.

    ``merge``: under the number of before of somebody who was merged into this member.
    """

    PHONE = "phone"
    TILL = "till"
    STAFF = "staff"
    IMPORT = "import"
    MERGE = "merge"


class Text(msgspec.Struct, frozen=True):
    """What a purpose says, in one version."""

    purpose: str
    version: int
    body: str
    at: datetime
    staff_id: int | None = None


class PurposeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose; ``unsaid`` is what holds until a member says a word.

    ``channel`` and ``letters`` name the letters whose truth is kept in ``messages``.
    """

    code: str
    title: str
    required: bool
    unsaid: bool
    active: bool
    sort: int
    version: int
    body: str
    channel: str | None = None
    letters: str | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A member's word to a purpose as it holds; ``asks`` where a required text is newer than what was agreed to."""

    purpose: PurposeRow
    granted: bool
    version: int | None
    at: datetime | None

    @property
    def asks(self) -> bool:
        """Whether the member is to be asked (again)."""
        return self.purpose.required and not (self.granted and self.version == self.purpose.version)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One word that was said: ``by`` is ``member``, ``staff:<id>`` or ``link`` (of a letter)."""

    id: int
    purpose: str
    granted: bool
    version: int
    place: str
    by: str
    note: str
    at: datetime


class ExportState(StrEnum):
    """``waiting`` is being made; ``gone`` was deleted when its days were over."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    GONE = "gone"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An archive: which of its lists are there (``lists`` of ``lists_all``), and how many rows."""

    id: str
    member_id: int
    state: ExportState
    staff_id: int | None
    reason: str
    day: date
    asked_at: datetime
    place: str | None
    after: list[str] | None
    parts: int
    rows: int
    lists: int
    lists_all: int
    bytes: int | None
    ready_at: datetime | None
    until: datetime | None


class Proof(StrEnum):
    """How staff knew who stood there: a code of the phone, a phone code, or papers that were looked at and filed."""

    CODE = "code"
    PHONE = "phone"
    PAPER = "paper"


class HandoutState(StrEnum):
    """``waiting`` for a second person; ``granted`` to who asked, until a moment; ``fetched`` by them."""

    WAITING = "waiting"
    GRANTED = "granted"
    FETCHED = "fetched"
    REFUSED = "refused"


class Handout(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that staff hand to its member."""

    id: str
    export_id: str
    member_id: int
    store_id: str | None
    staff_id: int
    proof: Proof
    reason: str
    state: HandoutState
    approval_id: str | None
    approved_by: int | None
    asked_at: datetime
    until: datetime | None
    fetched_at: datetime | None


class ErasureState(StrEnum):
    """``cooling`` may be withdrawn; ``lapsed`` was ended because something stood in the way for too long."""

    COOLING = "cooling"
    ERASING = "erasing"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be erased; ``given_up`` is what its member let go, as it was when they said so."""

    id: str
    member_id: int
    state: ErasureState
    store_id: str | None
    staff_id: int | None
    approved_by: int | None
    reason: str
    given_up: list[dict[str, Any]]
    asked_at: datetime
    due_at: datetime
    tries: int
    problem: str | None
    place: str | None
    ended_at: datetime | None
