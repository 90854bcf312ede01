"""Entries get their numbers in the order in which they were committed."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db

from .. import rules

AT_ONCE = 2_000
MOST_ROUNDS = 50

# Whoever holds the head is the only one to give numbers; what is committed while it is held waits for the next round.
_HOLD = "SELECT seq FROM feed_head FOR UPDATE"
_NUMBER = """
WITH next AS (
    SELECT id, $1 + row_number() OVER (ORDER BY arrived) AS seq
      FROM (SELECT id, arrived FROM feed_entry WHERE seq IS NULL ORDER BY arrived LIMIT $2) AS waiting
), numbered AS (
    UPDATE feed_entry e SET seq = next.seq FROM next WHERE e.id = next.id RETURNING next.seq
)
SELECT count(*), coalesce(max(seq), $1) AS last FROM numbered"""


async def number(rounds: int = MOST_ROUNDS) -> int:
    """Number what waits, 2,000 entries in each of at most so many rounds; returns how many that were."""
    numbered = 0
    for _ in range(rounds):
        async with db.transaction() as tx:
            ((seq,),) = await db.fetch_in(tx, _HOLD)
            ((count, last),) = await db.fetch_in(tx, _NUMBER, seq, AT_ONCE)
            if count:
                await db.raw(tx).execute("UPDATE feed_head SET seq = $1", last)
        numbered += count
        if count < AT_ONCE:
            break
    return numbered


_BEGIN_AGAIN = "UPDATE feed_head SET seq = seq + $1, first = seq + $1 + 1 RETURNING seq"


async def begin_again() -> int:
    """Go on with numbers that were never given, of which no place from before is one; returns the last it passed over.

    For a database that came back from an earlier moment: it would give numbers a second time, and whoever read them
    the first time would miss what they are now. Whoever asks is refused with ``FeedExpired`` and begins with a
    snapshot; who is called goes on with what it was not told yet.
    """
    async with db.transaction() as tx:
        ((seq,),) = await db.fetch_in(tx, _BEGIN_AGAIN, rules.LOST)
    return int(seq)


# The newest entry stays: where numbers begin again from nothing, cursors would point behind the end.
_FORGET = """
WITH old AS (
    SELECT id, seq FROM feed_entry WHERE at < $1 AND seq < (SELECT seq FROM feed_head) ORDER BY seq LIMIT $2
), gone AS (
    DELETE FROM feed_entry e USING old WHERE e.id = old.id RETURNING e.seq
)
SELECT count(*), max(seq) FROM gone"""


async def forget(now: datetime) -> int:
    """Forget entries and calls that are too old; returns how many entries."""
    forgotten = 0
    for _ in range(MOST_ROUNDS):
        async with db.transaction() as tx:
            await db.fetch_in(tx, _HOLD)
            ((count, last),) = await db.fetch_in(tx, _FORGET, now - rules.KEPT, AT_ONCE)
            if count:
                await db.raw(tx).execute("UPDATE feed_head SET first = greatest(first, $1)", last + 1)
        forgotten += count
        if count < AT_ONCE:
            break
    await db.fetch(
        "DELETE FROM feed_delivery WHERE id IN (SELECT id FROM feed_delivery WHERE at < $1 ORDER BY at LIMIT $2)",
        now - rules.DELIVERIES_KEPT,
        AT_ONCE * MOST_ROUNDS,
    )
    return forgotten
