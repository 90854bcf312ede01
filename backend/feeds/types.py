"""What the other domains know of subscribers and entries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

JOB = "feeds.tell"
"""The job that calls whoever is to be told."""

MOST_SUBSCRIBERS = 20
MOST_FIELDS = 200


class SubscriberState(StrEnum):
    """Whether a subscriber is served: ``suspended`` ones are not called any more until staff say so."""

    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    ENDED = "ended"


class EntryKind(StrEnum):
    """What an entry tells."""

    REGISTERED = "member.registered"
    CHANGED = "member.changed"
    LEVEL = "member.level_changed"
    STAGE = "member.stage_changed"


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """Another system: ``delivered`` is the last number that its address took, ``tries`` the failed calls since.

    ``partner``: it is another company's, and is told of members who agreed to that alone.
    """

    id: str
    name: str
    fields: tuple[str, ...]
    url: str | None
    state: SubscriberState
    delivered: int
    tries: int
    due_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    version: int
    created_at: datetime
    partner: bool = False


class SubscriberCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber that showed its key."""

    subscriber: Subscriber
    rate_key: str
    rate_per_minute: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered entry; ``body`` says where what was changed is read."""

    seq: int
    kind: EntryKind
    member_id: int
    at: datetime
    body: dict[str, Any]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a subscriber's address: from which number to which, and what it answered (None: nothing)."""

    id: str
    at: datetime
    first: int
    last: int
    status: int | None
    took_ms: int
    error: str | None
