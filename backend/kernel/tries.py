"""Work in rows that is taken up again each minute: how often in vain, at which row, and when it is given up.

A table of such work has ``id``, ``state``, ``updated_at`` and ``tries``, ``failed_row``, ``failure``. Whoever gets on
with it sets the last three back (``FRESH``); whoever fails says so here. After ``MOST_TRIES`` in a row it is ``failed``
and waits for somebody of the staff, who has it taken up again or cancels it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from . import clock, db, logging
from .db import Tx
from .errors import DomainError

log = logging.get(__name__)

MOST_TRIES = 10
FAILED = "failed"
FRESH = "tries = 0, failed_row = NULL, failure = NULL"
"""What of a row says that the work gets on."""


async def failed(table: str, work_id: str, error: Exception, *, row: int | None, working: str) -> None:
    """Note that work in state ``working`` got no further than a row; the last try ends it as ``failed``."""
    # What the error says may hold what a row says: only its kind is kept.
    kind = error.code if isinstance(error, DomainError) else type(error).__name__
    log.error("tries.failed", exc_info=error, table=table, work_id=work_id, row=row)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            f"UPDATE {table} SET tries = tries + 1, failed_row = $2, failure = $3, updated_at = $4,"  # noqa: S608 - ours
            " state = CASE WHEN tries + 1 >= $5 THEN 'failed' ELSE state END WHERE id = $1 AND state = $6",
            work_id,
            row,
            kind,
            clock.now(),
            MOST_TRIES,
            working,
        )


async def take_up(tx: Tx, table: str, work_id: str, *, working: str) -> bool:
    """Let failed work go on where it was; False where it had not failed."""
    rows = await db.fetch_in(
        tx,
        f"UPDATE {table} SET state = $2, {FRESH}, updated_at = $3 WHERE id = $1 AND state = 'failed'"  # noqa: S608 - ours
        " RETURNING 1",
        work_id,
        working,
        clock.now(),
    )
    return bool(rows)


async def each(work: Callable[[str], Awaitable[Any]], ids: Iterable[str]) -> None:
    """Do it for each; one that raises stops none of the others."""
    for one in ids:
        try:
            await work(one)
        except Exception as error:
            log.error("tries.raised", exc_info=error, work_id=one)
