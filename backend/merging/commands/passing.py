"""What still came to the books of members who were merged, and was not passed on by its event."""

from __future__ import annotations

from backend.kernel import db, logging
from backend.kernel.errors import DomainError

from .. import service

log = logging.get(__name__)

SWEPT_AT_ONCE = 200

# Whoever was merged and has something on the books all the same: the event of it was parked, or is on its way.
_LEFT = """
SELECT m.source_id FROM merging_merge m
 WHERE m.source_id > $1 AND EXISTS (
       SELECT FROM ledger_account a WHERE a.member_id = m.source_id AND a.balance > 0 AND a.kind <> 'stored_held')
 ORDER BY m.source_id LIMIT $2"""


async def _pass_on(source_id: int) -> None:
    """Pass on what one has; a refusal is written down, and keeps nobody else waiting."""
    try:
        async with db.transaction() as tx:
            await service.pass_on(tx, source_id)
    except DomainError as refused:
        log.error("merging.not_passed_on", member_id=source_id, code=refused.code)


async def sweep() -> int:
    """Pass on what lies on merged members' books whatever became of its event; returns how many had something."""
    after, found = 0, 0
    while rows := await db.fetch(_LEFT, after, SWEPT_AT_ONCE):
        for row in rows:
            await _pass_on(row["source_id"])
        found, after = found + len(rows), rows[-1]["source_id"]
    return found
