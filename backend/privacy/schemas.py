"""Requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,23}$(?!\n)", max_length=24)]
Reason = Annotated[str, Meta(min_length=2, max_length=200)]
Version = Annotated[int, Meta(ge=0, le=2_000_000_000)]


class ConsentWord(Body):
    """A member's word; ``version`` is that of the text they read."""

    purpose: Code
    granted: bool
    version: Version = 0


class ConsentsIn(Body):
    """Words to purposes; those that are not named stay."""

    items: Annotated[list[ConsentWord], Meta(min_length=1, max_length=50)]


class WrittenIn(Body):
    """What a member said on paper or at the counter; ``note`` says where the paper lies."""

    items: Annotated[list[ConsentWord], Meta(min_length=1, max_length=50)]
    note: Annotated[str, Meta(max_length=200)] = ""


class PurposeIn(Body):
    """A purpose and its text; ``version`` is the one that was looked at, 0 for a new purpose."""

    title: Annotated[str, Meta(min_length=1, max_length=40)]
    body: Annotated[str, Meta(min_length=1, max_length=20_000)]
    version: Version
    required: bool = False
    active: bool = True
    sort: Annotated[int, Meta(ge=0, le=10_000)] = 100


class ConsentOut(msgspec.Struct):
    """A purpose with its text and the member's word; ``asks``: it is to be shown and asked at once."""

    purpose: str
    title: str
    body: str
    version: int
    required: bool
    granted: bool
    agreed_version: int | None
    at: datetime | None
    asks: bool


class ConsentsOut(msgspec.Struct):
    """Every purpose."""

    items: list[ConsentOut]


class OwnConsentsOut(ConsentsOut):
    """Every purpose, and when the account is erased, where that was asked for: what an opening phone shows."""

    erasure_due_at: datetime | None = None


class ChangeOut(msgspec.Struct):
    """One word that was said; ``by`` is ``member``, ``staff:<id>`` or ``link``."""

    id: str
    purpose: str
    granted: bool
    version: int
    place: str
    by: str
    note: str
    at: datetime


class ChangesOut(msgspec.Struct):
    """Words, newest first."""

    items: list[ChangeOut]
    next_cursor: str | None


class PurposeOut(msgspec.Struct):
    """A purpose; ``letters`` and ``channel`` where it is about letters."""

    code: str
    title: str
    body: str
    version: int
    required: bool
    active: bool
    sort: int
    channel: str | None
    letters: str | None


class PurposesOut(msgspec.Struct):
    """Purposes in their order."""

    items: list[PurposeOut]


class TextOut(msgspec.Struct):
    """One version of a text."""

    version: int
    body: str
    at: datetime
    staff_id: str | None


class TextsOut(msgspec.Struct):
    """Versions, newest first."""

    items: list[TextOut]


class PageQuery(Body):
    """A page of a list."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class ErasuresQuery(PageQuery):
    """Erasures, of one state or of all."""

    state: Annotated[str, Meta(pattern=r"^(cooling|erasing|done|withdrawn|lapsed)$(?!\n)")] | None = None


class ExportIn(Body):
    """Whose archive, and why staff ask for it: the member is present."""

    member_id: Annotated[str, Meta(max_length=20)]
    reason: Reason


class HandoutIn(Body, kw_only=True):
    """Who stands there, by the code on their phone or a fresh phone code; or neither, and ``reason`` says which papers.

    ``reason`` also says where the member's request is filed.
    """

    code: Annotated[str, Meta(min_length=1, max_length=32, description="会员手机上的动态码：20 位数字")] | None = None
    phone_code: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    reason: Reason


class HandoutOut(msgspec.Struct, kw_only=True):
    """An archive that staff hand out: ``proof`` is ``code``, ``phone`` or ``paper``; fetched ``until`` a moment.

    ``state``: ``waiting`` for a second person, ``granted``, ``fetched``, ``refused``, or ``lapsed`` where the second
    person was asked no more or too late.
    """

    id: str
    export_id: str
    member_id: str
    member_no: str
    by_staff: str
    proof: str
    reason: str
    state: str
    approval_id: str | None
    approved_by: str | None
    asked_at: datetime
    until: datetime | None
    fetched_at: datetime | None


class HandoutsOut(msgspec.Struct):
    """Newest first; ``next_cursor`` is None at the end."""

    items: list[HandoutOut]
    next_cursor: str | None = None


class ExportOut(msgspec.Struct):
    """An archive: how far it is (``lists`` of ``lists_all``), and until when it can be fetched."""

    id: str
    state: str
    asked_at: datetime
    lists: int
    lists_all: int
    rows: int
    bytes: int | None
    ready_at: datetime | None
    until: datetime | None


class ExportsOut(msgspec.Struct):
    """A member's archives, newest first."""

    items: list[ExportOut]


class StaffExportOut(ExportOut):
    """An archive as staff see it: never its content."""

    member_id: str
    member_no: str
    by_staff: str | None
    reason: str


class StaffExportsOut(msgspec.Struct):
    """Archives, newest first."""

    items: list[StaffExportOut]
    next_cursor: str | None


class MemberArchivesOut(msgspec.Struct):
    """A member's archives and what staff handed out of them; the newest of each, newest first."""

    member_id: str
    member_no: str
    exports: list[StaffExportOut]
    hand_outs: list[HandoutOut]


class StakeOut(msgspec.Struct):
    """Something to settle first (``blocks``), or that is lost: ``amount`` of ``unit`` (fen, points, uses, pieces)."""

    code: str
    title: str
    amount: int
    unit: str
    blocks: bool


class ErasureIn(Body):
    """Who it is (PIN or phone code), and that what is left may go (``give_up``)."""

    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")] | None = None
    phone_code: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    give_up: bool = False


class StaffErasureIn(Body):
    """Whose account, and why staff ask for it; a second person decides."""

    member_id: Annotated[str, Meta(max_length=20)]
    reason: Reason
    give_up: bool = False


class WithdrawIn(Body):
    """Why staff take a wish back."""

    reason: Reason


class ErasureOut(msgspec.Struct):
    """A wish to be erased."""

    id: str
    state: str
    asked_at: datetime
    due_at: datetime
    given_up: list[StakeOut]
    problem: str | None
    ended_at: datetime | None


class OwnErasureOut(msgspec.Struct):
    """What stands in the way, what would be lost, how long it cools off, and the wish there is."""

    at_stake: list[StakeOut]
    cooling_days: int
    erasure: ErasureOut | None


class StaffErasureOut(ErasureOut):
    """A wish to be erased, as staff see it."""

    member_id: str
    member_no: str
    by_staff: str | None
    approved_by: str | None
    reason: str


class StaffErasuresOut(msgspec.Struct):
    """Erasures, newest first."""

    items: list[StaffErasureOut]
    next_cursor: str | None


class AskedOut(msgspec.Struct):
    """An erasure that waits for a second person."""

    approval_id: str
    status: str
