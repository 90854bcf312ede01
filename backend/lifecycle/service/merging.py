"""Two members become one: the other's purchases, returns and grants are theirs."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members import service as member_service

from .looking import look

# Nothing of the source's ends by the clock any more.
_STANDINGS = """
UPDATE lifecycle_standing SET judge = member_id = $2, due_on = CASE WHEN member_id = $2 THEN due_on END
 WHERE member_id IN ($1, $2)"""
_MOVES = (
    "UPDATE lifecycle_purchase SET member_id = $2 WHERE member_id = $1",
    "UPDATE lifecycle_return SET member_id = $2 WHERE member_id = $1",
    "UPDATE lifecycle_grant SET member_id = $2, key = left(($1::bigint)::text || '/' || key, 300) WHERE member_id = $1",
    _STANDINGS,
)


async def merge(tx: Tx, source_id: int, target_id: int) -> None:
    """Let the target have what the source bought, gave back and was given, and look at them. Holds both.

    Growth is moved by the caller, before this. What the target's level was stays history; what follows from all the
    purchases together is reached at once. The source's own history stays where it is.
    """
    await member_service.lock_levels(tx, [source_id, target_id])
    for sql in _MOVES:
        await db.raw(tx).execute(sql, source_id, target_id)
    await look(tx, [target_id])
