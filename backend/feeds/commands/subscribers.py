"""What staff do with subscribers: make, change, give new keys, send again, end."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import asyncpg
import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.vault import vault

from .. import locks, queries, rules
from ..errors import NoAddress, TooManySubscribers
from ..types import MOST_SUBSCRIBERS, Subscriber, SubscriberState

log = logging.get(__name__)

SECRET_CONTEXT = "feed_subscriber.secret"  # noqa: S105 - a name of the vault's
ROOM = "SELECT pg_advisory_xact_lock(hashtext('feed_subscriber'))"

_INSERT = """
INSERT INTO feed_subscriber (id, name, fields, url, state, key_digest, secret_sealed, delivered, created_by, created_at,
                             partner)
SELECT $1, $2, $3, $4, 'active', $5, $6, seq, $7, $8, $9 FROM feed_head"""
_CHANGE = """
UPDATE feed_subscriber
   SET name = $2, fields = $3, url = $4, state = $5, partner = $7, version = version + 1,
       tries = CASE WHEN $6 THEN 0 ELSE tries END, due_at = CASE WHEN $6 THEN NULL ELSE due_at END,
       failing_since = CASE WHEN $6 THEN NULL ELSE failing_since END,
       last_error = CASE WHEN $6 THEN NULL ELSE last_error END
 WHERE id = $1"""
_KEY = """
UPDATE feed_subscriber SET previous_digest = key_digest, previous_until = $3, key_digest = $2, version = version + 1
 WHERE id = $1"""
_RENEW_SIGNING = """
UPDATE feed_subscriber SET old_secret_sealed = secret_sealed, old_secret_until = $3, secret_sealed = $2,
       version = version + 1
 WHERE id = $1"""
_REPLAY = """
UPDATE feed_subscriber SET delivered = $2, tries = 0, due_at = NULL, failing_since = NULL, last_error = NULL,
       version = version + 1
 WHERE id = $1"""


class Made(msgspec.Struct, frozen=True):
    """A new subscriber, with what is shown this once."""

    id: str
    key: str
    secret: str


async def create(
    name: str, fields: Sequence[str], url: str | None, caller: StaffCaller, *, partner: bool = False
) -> Made:
    """Make a subscriber, told what happens from now on. ``TooManySubscribers``; its name is its own."""
    key, secret = rules.KEY_PREFIX + ids.new_token(rules.KEY_BYTES), secrets.token_bytes(rules.SECRET_BYTES)
    made = Made(ids.new_short("U"), key, rules.printed_secret(secret))
    async with db.transaction() as tx:
        await db.raw(tx).execute(ROOM)
        ((count,),) = await db.fetch_in(tx, "SELECT count(*) FROM feed_subscriber WHERE state <> 'ended'")
        if count >= MOST_SUBSCRIBERS:
            raise TooManySubscribers
        await _named(
            tx,
            _INSERT,
            made.id,
            name,
            sorted(set(fields)),
            url,
            rules.digest_of(key),
            _seal(secret),
            caller.staff_id,
            clock.now(),
            partner,
        )
    log.info("feeds.subscriber_created", subscriber_id=made.id, staff_id=caller.staff_id)
    return made


async def change(subscriber_id: str, version: int, changed: Subscriber) -> Subscriber:
    """Let these be its name, fields, address and state; one that was suspended is called again at once."""
    async with db.transaction() as tx:
        before = await locks.lock_subscriber(tx, subscriber_id, version)
        afresh = changed.url != before.url or (
            changed.state is SubscriberState.ACTIVE and before.state is not SubscriberState.ACTIVE
        )
        fields = sorted(set(changed.fields))
        named = (subscriber_id, changed.name, fields, changed.url, changed.state.value)
        await _named(tx, _CHANGE, *named, afresh, changed.partner)
    return await queries.get_subscriber(subscriber_id)


async def renew_key(subscriber_id: str) -> str:
    """Give it another key, which is shown this once; the one before is good for a day more."""
    key = rules.KEY_PREFIX + ids.new_token(rules.KEY_BYTES)
    async with db.transaction() as tx:
        await locks.lock_subscriber(tx, subscriber_id)
        await db.raw(tx).execute(_KEY, subscriber_id, rules.digest_of(key), clock.now() + rules.OVERLAP)
    return key


async def renew_secret(subscriber_id: str) -> str:
    """Sign with another secret, which is shown this once; for a day the one before signs, too."""
    secret = secrets.token_bytes(rules.SECRET_BYTES)
    async with db.transaction() as tx:
        await locks.lock_subscriber(tx, subscriber_id)
        await db.raw(tx).execute(_RENEW_SIGNING, subscriber_id, _seal(secret), clock.now() + rules.OVERLAP)
    return rules.printed_secret(secret)


async def replay(subscriber_id: str, after: int) -> Subscriber:
    """Deliver everything after this number, again or for the first time."""
    async with db.transaction() as tx:
        found = await locks.lock_subscriber(tx, subscriber_id)
        if found.url is None:
            raise NoAddress
        head = await queries.head()
        if not head.first - 1 <= after <= head.seq:
            raise invalid("/after", f"must be from {head.first - 1} to {head.seq}")
        await db.raw(tx).execute(_REPLAY, subscriber_id, after)
    return await queries.get_subscriber(subscriber_id)


async def end(subscriber_id: str) -> None:
    """Let it in no more, and call it no more; its name is free."""
    async with db.transaction() as tx:
        await locks.lock_subscriber(tx, subscriber_id)
        await db.raw(tx).execute(
            "UPDATE feed_subscriber SET state = 'ended', url = NULL, previous_digest = NULL, previous_until = NULL,"
            " version = version + 1 WHERE id = $1",
            subscriber_id,
        )
    log.info("feeds.subscriber_ended", subscriber_id=subscriber_id)


def _seal(secret: bytes) -> str:
    return vault().seal(secret, context=SECRET_CONTEXT)


async def _named(tx: Tx, statement: str, *arguments: object) -> None:
    try:
        await db.raw(tx).execute(statement, *arguments)
    except asyncpg.UniqueViolationError:
        raise invalid("/name", "another subscriber has this name") from None
