"""What the tables of this domain hold, as structs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from .types import Terms


class TemplateState(StrEnum):
    """How an offer stands: being written, running, stopped for a while, over for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class ClaimBy(StrEnum):
    """How a member may take one: in the coupon centre (and by link), by link only, or not at all.

    Codes, staff and triggers issue whatever this says.
    """

    CENTRE = "centre"
    LINK = "link"
    NOBODY = "nobody"


class Occurrence(StrEnum):
    """What issues a coupon by itself."""

    REGISTRATION = "registration"
    RECHARGE = "recharge"
    SALE = "sale"
    BIRTHDAY = "birthday"
    LEVEL = "level"


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a coupon is issued by itself: ``min_fen`` of a recharge or sale, ``level`` that is reached (empty: any)."""

    on: Occurrence
    min_fen: int = 0
    level: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """When, by which way and how many of a template are offered; see ``Template``."""

    claim_by: ClaimBy = ClaimBy.NOBODY
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    total: int | None = None
    per_member: int | None = 1
    triggers: tuple[Trigger, ...] = ()
    sort: int = 0


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as it stands. ``issued`` only grows; ``reserved`` are codes that were made and not redeemed yet.

    ``total`` (None: no limit) bounds both together, ``per_member`` what one member ever gets of it, however.
    """

    id: str
    version: int
    title: str
    state: TemplateState
    claim_by: ClaimBy
    share_token: str
    starts_at: datetime | None
    ends_at: datetime | None
    total: int | None
    issued: int
    reserved: int
    per_member: int | None
    triggers: tuple[Trigger, ...]
    sort: int
    birthdays_on: date | None
    created_at: datetime
    updated_at: datetime

    @property
    def left(self) -> int | None:
        """How many may still be issued without a code; None is any number."""
        return None if self.total is None else self.total - self.issued - self.reserved


class Version(msgspec.Struct, frozen=True):
    """What a template promises since it was changed last; never changes itself."""

    template_id: str
    version: int
    title: str
    note: str
    terms: Terms


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """An issued piece: what it is, and for display how it ended. What is left of it, the ledger says."""

    member_id: int
    id: str
    template_id: str
    version: int
    source: str
    issued_at: datetime
    valid_from: date
    expires_on: date | None
    ended_as: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Codes of a template: how many, how many of them are made, and how many were redeemed."""

    id: str
    template_id: str
    note: str
    total: int
    made: int
    claimed: int
    state: str
    exported_at: datetime | None
    created_at: datetime


class Handout(msgspec.Struct, frozen=True, kw_only=True):
    """A list of members who are given a coupon by staff, and how far that has got; ``refused`` counts by code."""

    id: str
    template_id: str
    total: int
    done: int
    issued: int
    refused: dict[str, int]
    created_at: datetime
    finished_at: datetime | None
