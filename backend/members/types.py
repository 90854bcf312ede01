"""What the other domains know of members."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from backend.ledger.types import Snapshot


class Status(StrEnum):
    """``none``: known (imported, refused), not registered; ``pending`` waits for staff; ``frozen`` is shut out."""

    NONE = "none"
    PENDING = "pending"
    ACTIVE = "active"
    FROZEN = "frozen"


class Gender(StrEnum):
    """As the member says."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class Level(msgspec.Struct, frozen=True):
    """A level: ``discount_bp`` is what is taken off, ``points_multiplier_bp`` what points are multiplied by."""

    code: str
    name: str
    discount_bp: int
    points_multiplier_bp: int
    growth_from_fen: int


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a till may know of a member."""

    member_id: int
    member_no: str
    name_masked: str
    level: Level
    status: Status


class Cardholder(msgspec.Struct, frozen=True):
    """What a sale is priced with: who it is, and what they hold."""

    card: Card
    snapshot: Snapshot


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member's whole profile; the phone only masked."""

    id: int
    member_no: str
    name: str
    phone_masked: str
    birthday: date | None
    gender: Gender
    store_id: str | None
    level: Level
    status: Status
    growth_fen: int
    attributes: dict[str, Any]
    created_at: datetime
    pin_set: bool


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """What a member is made from."""

    phone: str
    name: str
    status: Status
    birthday: date | None = None
    gender: Gender = Gender.UNKNOWN
    store_id: str | None = None
    referrer_id: int | None = None
    level: str | None = None
