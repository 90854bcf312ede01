"""A condition on members, and what is known of their purchases."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.members.types import AttributeCondition, Gender, Stage, Status

MOST_STORES = 1_000
MOST_NUMBERS = 1_000

LevelCode = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$(?!\n)")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Sku = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$(?!\n)")]
MemberNo = Annotated[str, Meta(pattern=r"^[1-9][0-9]{11}$(?!\n)")]
Month = Annotated[int, Meta(ge=1, le=12)]


class Audience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which members are meant: all conditions that are given must hold, none means every active member.

    Used as it is in request bodies, and stored so. A list that is empty is refused: nobody means everybody by it.
    ``store_ids`` are the members' own stores, ``stages`` where they are in a customer's life; ``registered_until`` and
    ``bought_within_days`` include their last day, and so does ``valid_until_to`` of the days with which memberships
    end. ``statuses`` are for who may mean others than active members; ``attributes`` are conditions on what the chain
    defines; who bought any of ``bought_skus`` and kept a piece of it is a buyer.
    """

    levels: Annotated[tuple[LevelCode, ...], Meta(min_length=1, max_length=50)] | None = None
    store_ids: Annotated[tuple[StoreId, ...], Meta(min_length=1, max_length=MOST_STORES)] | None = None
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1, max_length=6)] | None = None
    genders: Annotated[tuple[Gender, ...], Meta(min_length=1, max_length=3)] | None = None
    birthday_months: Annotated[tuple[Month, ...], Meta(min_length=1, max_length=12)] | None = None
    statuses: Annotated[tuple[Status, ...], Meta(min_length=1, max_length=7)] | None = None
    valid_until_from: date | None = None
    valid_until_to: date | None = None
    registered_from: date | None = None
    registered_until: date | None = None
    bought_skus: Annotated[tuple[Sku, ...], Meta(min_length=1, max_length=100)] | None = None
    bought_within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    card_types: Annotated[tuple[LevelCode, ...], Meta(min_length=1, max_length=50)] | None = None
    attributes: Annotated[tuple[AttributeCondition, ...], Meta(min_length=1, max_length=10)] | None = None
    member_nos: Annotated[tuple[MemberNo, ...], Meta(min_length=1, max_length=MOST_NUMBERS)] | None = None


EVERYBODY = Audience()


class Bought(msgspec.Struct, frozen=True):
    """What a member bought of an article and kept: pieces, in how many purchases, and the last day (chain's zone)."""

    sku: str
    pieces: int
    times: int
    last_on: date


class Visits(msgspec.Struct, frozen=True):
    """How often somebody bought since a day, and the days of the last and the first purchase of all."""

    count: int
    last_on: date | None
    first_on: date | None
