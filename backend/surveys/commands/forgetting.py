"""What was sent or saved for answers that never came is forgotten: it lies with the member, and nobody waits for it."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db

from .. import locks, service

UNUSED = timedelta(days=14)
"""How long photos wait for their answer, and answers for a closing time that is put off."""

AT_ONCE = 1_000

_SAVED = """
WITH over AS (SELECT p.survey_id, p.member_id, p.round FROM survey_participation p JOIN survey s ON s.id = p.survey_id
               WHERE p.saved IS NOT NULL AND (s.state = 'closed' OR s.closes_at < $1) LIMIT $2
                 FOR UPDATE OF p SKIP LOCKED)
UPDATE survey_participation p SET saved = NULL, page = 0 FROM over
 WHERE p.survey_id = over.survey_id AND p.member_id = over.member_id AND p.round = over.round RETURNING 1"""


async def drop_unused_photos() -> int:
    """Forget photos that were sent for anonymous answers which never came."""
    rows = await db.fetch(
        'DELETE FROM survey_photo WHERE NOT used AND "on" < $1 RETURNING 1', service.today(clock.now()) - UNUSED
    )
    return len(rows)


async def drop_saved() -> int:
    """Forget what members saved for surveys that are closed, or whose time was over two weeks ago; how many it were."""
    dropped = AT_ONCE
    total = 0
    while dropped == AT_ONCE:
        async with db.transaction() as tx:
            await db.raw(tx).execute(locks.WITHIN)
            dropped = len(await db.fetch_in(tx, _SAVED, clock.now() - UNUSED, AT_ONCE))
        total += dropped
    return total
