"""Reads of subscribers, entries and deliveries."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place

from . import rules
from .types import Delivery, Entry, EntryKind, Subscriber, SubscriberState

COLUMNS = (
    "id, name, fields, url, state, delivered, tries, due_at, failing_since, last_error, version, created_at, partner"
)
SUBSCRIBER = f"SELECT {COLUMNS} FROM feed_subscriber"  # noqa: S608 - put together of constants


class Head(msgspec.Struct, frozen=True):
    """The last number that was given, and the first that is still kept."""

    seq: int
    first: int


def subscriber_of(row: db.Record) -> Subscriber:
    """A row of ``SUBSCRIBER``."""
    return Subscriber(
        **dict(row) | {"fields": tuple(row["fields"]), "state": SubscriberState(row["state"])},
    )


async def get_subscriber(subscriber_id: str) -> Subscriber:
    """One subscriber; ``NotFound`` for none."""
    row = await db.fetchrow(f"{SUBSCRIBER} WHERE id = $1", subscriber_id)
    if row is None:
        raise NotFound("there is no such subscriber")
    return subscriber_of(row)


async def list_subscribers() -> list[Subscriber]:
    """Every subscriber that has not ended, by name; there are few."""
    return [subscriber_of(row) for row in await db.fetch(f"{SUBSCRIBER} WHERE state <> 'ended' ORDER BY name, id")]


async def find_by_key(key: str) -> Subscriber | None:
    """The subscriber whose key this is, or was until a moment ago; None also for one that is not served."""
    row = await db.fetchrow(
        f"{SUBSCRIBER} WHERE state IN ('active', 'suspended')"
        " AND (key_digest = $1 OR (previous_digest = $1 AND previous_until > $2))",
        rules.digest_of(key),
        clock.now(),
    )
    return subscriber_of(row) if row else None


async def head() -> Head:
    """How far the numbers go."""
    row = await db.fetchrow("SELECT seq, first FROM feed_head")
    assert row is not None, "the migration makes this row"
    return Head(**dict(row))


async def list_entries(after: int, limit: int) -> list[Entry]:
    """The entries with the numbers that follow."""
    rows = await db.fetch(
        "SELECT seq, kind, member_id, at, body FROM feed_entry WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit
    )
    return [
        Entry(**dict(row) | {"kind": EntryKind(row["kind"]), "body": msgspec.json.decode(row["body"])}) for row in rows
    ]


async def list_deliveries(subscriber_id: str, *, before: Place | None, limit: int) -> list[Delivery]:
    """A page of the calls of a subscriber's address, newest first."""
    rows = await db.fetch(
        "SELECT id, at, first, last, status, took_ms, error FROM feed_delivery WHERE subscriber_id = $1"
        " AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3)) ORDER BY at DESC, id DESC LIMIT $4",
        subscriber_id,
        *(before or (None, None)),
        limit,
    )
    return [Delivery(**row) for row in rows]


class Signing(msgspec.Struct, frozen=True):
    """What a delivery to a subscriber is signed with: sealed, the newest first."""

    url: str
    sealed: tuple[str, ...]


async def find_signing(subscriber_id: str, now: datetime) -> Signing | None:
    """Where a subscriber is called, and with which secrets; None for one without an address."""
    row = await db.fetchrow(
        "SELECT url, secret_sealed, CASE WHEN old_secret_until > $2 THEN old_secret_sealed END AS old"
        " FROM feed_subscriber WHERE id = $1 AND state <> 'ended' AND url IS NOT NULL",
        subscriber_id,
        now,
    )
    if row is None:
        return None
    return Signing(row["url"], tuple(sealed for sealed in (row["secret_sealed"], row["old"]) if sealed))
