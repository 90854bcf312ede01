"""Tickets are given out to members, so many a week, and signed unseen; keys come and go by the week."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date, timedelta

from backend.kernel import db, ids, logging
from backend.kernel.errors import Unavailable, invalid
from backend.kernel.vault import vault

from .. import queries, tickets
from ..errors import TicketKeyOver, TicketsUsedUp
from ..queries.keys import KEY_CONTEXT, today
from ..schemas import TicketsIn
from ..types import Key

log = logging.get(__name__)

TICKETS_A_WEEK = 10
_making = asyncio.Lock()


async def current_key() -> Key:
    """The key that signs this week's tickets; made by whoever asks for it first."""
    return await _key_of(tickets.week_of(today()))


async def _key_of(week: date) -> Key:
    known = await _find(week)
    if known is not None:
        return known
    async with _making:  # each takes a processor for a while
        if (known := await _find(week)) is None:
            await _make(week)
            known = await _find(week)
    if known is None:  # the clock was put forward by weeks meanwhile
        raise Unavailable
    return known


async def _find(week: date) -> Key | None:
    return next((key for key in (await queries.keys()).values() if key.week == week), None)


async def _make(week: date) -> None:
    """A new key for that week, unless another process was quicker."""
    private = await asyncio.to_thread(tickets.make_private)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO suggestion_key (id, week, private_sealed) VALUES ($1, $2, $3) ON CONFLICT (week) DO NOTHING",
            ids.new_short("K"),
            week,
            vault().seal(private, context=KEY_CONTEXT),
        )
    queries.forget_keys()


async def issue(body: TicketsIn, member_id: int) -> tuple[list[bytes], int]:
    """Sign blinded messages for a member, at most ten a week; the same again are not counted twice.

    What is stored is which random numbers this member had signed this week: nobody can tell which tickets they became.
    It is dropped with the key. Returns the signatures, and how many more there are this week.
    """
    key = await current_key()
    if body.key_id != key.id:
        raise TicketKeyOver
    blinded = [_read(key, text, index) for index, text in enumerate(body.blinded)]
    digests = sorted({hashlib.sha256(message).hexdigest() for message in blinded})
    async with db.transaction() as tx:
        # Two requests at once would both find room.
        await db.raw(tx).execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('suggestion_issued ' || $1, 0))", str(member_id)
        )
        await db.raw(tx).execute(
            "INSERT INTO suggestion_issued (member_id, key_id, digest) SELECT $1, $2, unnest($3::text[])"
            " ON CONFLICT DO NOTHING",
            member_id,
            key.id,
            digests,
        )
        (row,) = await db.fetch_in(
            tx, "SELECT count(*) FROM suggestion_issued WHERE member_id = $1 AND key_id = $2", member_id, key.id
        )
        if row[0] > TICKETS_A_WEEK:
            raise TicketsUsedUp(f"at most {TICKETS_A_WEEK} a week", retry_after_s=_until_monday_s(key.week))
    signatures = []
    for message in blinded:
        signatures.append(tickets.sign_blinded(key.private, message))
        await asyncio.sleep(0)  # others have their turn between two signatures
    return signatures, TICKETS_A_WEEK - row[0]


def _read(key: Key, text: str, index: int) -> bytes:
    """A blinded message that can be signed: what cannot be is refused before it counts."""
    message = tickets.from_base64url(text)
    if message is None or len(message) != tickets.SIZE:
        raise invalid(f"/blinded/{index}", f"must be {tickets.SIZE} bytes as base64url")
    if not tickets.is_blinded(key.private, message):
        raise invalid(f"/blinded/{index}", "is no blinded message for this key")
    return message


def _until_monday_s(week: date) -> int:
    left = week + timedelta(days=7) - today()
    return max(1, left.days) * 86_400


async def mind_keys() -> None:
    """Make this week's key and the next one, and drop those that are over with all that was remembered of them."""
    week = tickets.week_of(today())
    for monday in (week, week + timedelta(days=7)):
        if not await db.fetchval("SELECT true FROM suggestion_key WHERE week = $1", monday):
            await _make(monday)
    async with db.transaction() as tx:
        over = today() - tickets.GOOD_FOR
        keys = [row[0] for row in await db.fetch_in(tx, "SELECT id FROM suggestion_key WHERE week <= $1", over)]
        for table in ("suggestion_spent", "suggestion_issued"):
            await db.raw(tx).execute(f"DELETE FROM {table} WHERE key_id = ANY($1)", keys)  # noqa: S608 - ours
        await db.raw(tx).execute("DELETE FROM suggestion_key WHERE id = ANY($1)", keys)
    queries.forget_keys()
    if keys:
        log.info("suggestions.keys_dropped", dropped=len(keys))
