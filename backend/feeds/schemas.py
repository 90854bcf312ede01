"""Bodies, queries and answers of the feed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import MOST_FIELDS, EntryKind, SubscriberState

Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Field = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,40}(\.[A-Za-z0-9_-]{1,40})?$(?!\n)")]
Fields = Annotated[list[Field], Meta(min_length=1, max_length=MOST_FIELDS)]
Url = Annotated[str, Meta(min_length=1, max_length=500)]
Version = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seq = Annotated[int, Meta(ge=0, le=1 << 62)]
Cursor = Annotated[str, Meta(max_length=128)]


class SubscriberIn(Body, kw_only=True):
    """Another system: its name, the fields of members that it may see, and where it is called, if it wants to be.

    ``partner``: it is another company's, which is told only of members who agreed to that (purpose ``third_party``).
    """

    name: Name
    fields: Fields
    url: Url | None = None
    partner: bool = False


class SubscriberChange(Body, kw_only=True):
    """What a subscriber is from now on; ``version`` is the one that was seen. ``partner`` left out: as it is."""

    version: Version
    name: Name
    fields: Fields
    url: Url | None = None
    active: bool = True
    partner: bool | None = None


class SubscriberOut(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber. ``behind``: entries that its address has not taken; 0 for one without an address."""

    id: str
    name: str
    fields: list[str]
    url: str | None
    state: SubscriberState
    delivered: int
    behind: int
    tries: int
    due_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    version: int
    created_at: datetime
    partner: bool


class SubscriberMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new subscriber: ``key`` to ask with and ``secret`` that deliveries are signed with, shown this once."""

    subscriber: SubscriberOut
    key: str
    secret: str


class SubscribersOut(msgspec.Struct, frozen=True, kw_only=True):
    """All subscribers, the last number that was given, and the fields that can be chosen."""

    items: list[SubscriberOut]
    last: int
    fields: list[FieldOut]


class FieldOut(msgspec.Struct, frozen=True):
    """A field of members that a subscriber may be given; ``personal``: it says who somebody is."""

    code: str
    name: str
    personal: bool


class KeyOut(msgspec.Struct, frozen=True):
    """A new key, shown this once; the one before is good until then."""

    key: str
    previous_until: datetime


class SecretOut(msgspec.Struct, frozen=True):
    """A new signing secret, shown this once; the one before signs, too, until then."""

    secret: str
    previous_until: datetime


class ReplayIn(Body, kw_only=True):
    """Deliver everything after this number again."""

    after: Seq


class PingOut(msgspec.Struct, frozen=True):
    """What the address answered: its status, or what went wrong."""

    id: str
    status: int | None
    took_ms: int
    error: str | None


class DeliveriesQuery(Body, kw_only=True):
    """A page of calls."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One call, with the numbers that it carried."""

    id: str
    at: datetime
    first: int
    last: int
    status: int | None
    took_ms: int
    error: str | None


class DeliveriesOut(msgspec.Struct, frozen=True):
    """Calls, newest first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class FeedQuery(Body, kw_only=True):
    """The entries that follow; without a cursor from the first that is kept."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class ByOut(msgspec.Struct, frozen=True):
    """Who did it: the member, somebody of the staff by id, or the system itself."""

    kind: str
    id: str | None


class ChangeOut(msgspec.Struct, frozen=True):
    """One field, before and after; ``erased``: it said something that is not kept any more."""

    field: str
    before: Any
    after: Any
    erased: bool = False


class MemberRef(msgspec.Struct, frozen=True):
    """Whom it is about."""

    id: str
    member_no: str


class EntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, with those of its fields that the subscriber may see."""

    seq: int
    type: EntryKind
    at: datetime
    member: MemberRef
    by: ByOut | None
    changes: list[ChangeOut]


class FeedOut(msgspec.Struct, frozen=True):
    """Entries in order. ``next_cursor`` goes on behind them, always; ``more``: there are further ones already."""

    items: list[EntryOut]
    next_cursor: str
    more: bool


class SnapshotQuery(Body, kw_only=True):
    """A page of all members as they are now."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class SnapshotItem(msgspec.Struct, frozen=True):
    """A member as it is now, in the fields that the subscriber may see."""

    member: MemberRef
    fields: dict[str, Any]


class SnapshotOut(msgspec.Struct, frozen=True):
    """Members by id. ``feed_cursor``: read the feed from the one of the first page, and nothing is missed."""

    items: list[SnapshotItem]
    next_cursor: str | None
    feed_cursor: str
