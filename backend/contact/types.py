"""How a member was found, and how much of them is shown."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from backend.auth.types import Permission
from backend.members.types import Member


class By(StrEnum):
    """What a member was looked up by; ``id`` opens a card again that was found before."""

    CODE = "code"
    PHONE = "phone"
    MEMBER_NO = "member_no"
    OPENID = "openid"
    ID = "id"


class View(StrEnum):
    """How much of a card is shown: ``chain`` and ``manager`` are all of it, to head office and in the own store.

    ``clerk`` is the part that is shown to whose role sees no more, of head office too.
    ``guest`` is what a store's staff see of another store's member who shows them a code.
    """

    CHAIN = "chain"
    MANAGER = "manager"
    CLERK = "clerk"
    GUEST = "guest"


class Outcome(StrEnum):
    """What came of a look-up; ``refused``: a code that is none, too old or spent."""

    FOUND = "found"
    MISSED = "missed"
    REFUSED = "refused"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What every section is read with: whose, for whom, when.

    ``store_id``: only what is of that store; None is all. ``may`` is what the viewer's role allows.
    """

    member: Member
    view: View
    staff_id: int
    store_id: str | None
    may: frozenset[Permission]
    on: date
    now: datetime


class Look(msgspec.Struct, frozen=True):
    """Who looked at whom, when, by what, and what came of it."""

    id: int
    at: datetime
    staff_id: int
    by: By
    outcome: Outcome
    member_id: int | None
    view: View | None
