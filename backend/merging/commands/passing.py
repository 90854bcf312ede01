"""What still comes to the books of a member who was merged goes on to the other, whatever brought it."""

from __future__ import annotations

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.members import queries as members
from backend.members.holding import Carrying

from .. import queries, service

log = logging.get(__name__)

SWEPT_AT_ONCE = 200

# Whoever was merged and has something on the books all the same: the event of it was parked, or is on its way.
_LEFT = """
SELECT m.source_id FROM merging_merge m
 WHERE m.source_id > $1 AND EXISTS (
       SELECT FROM ledger_account a WHERE a.member_id = m.source_id AND a.balance > 0 AND a.kind <> 'stored_held')
 ORDER BY m.source_id LIMIT $2"""


async def pass_on(tx: Tx, source_id: int) -> None:
    """Carry what lies on a merged member's books to whom they are part of now; nothing for who was not merged."""
    merge = await queries.find_merge_of(tx, source_id)
    if merge is None:
        return
    target_id = await members.current_id_in(tx, source_id)
    await ledger.hold_both(tx, source_id, target_id)
    rows = await db.fetch_in(tx, "SELECT seq FROM ledger_head WHERE member_id = $1", source_id)
    now = clock.now()
    await service.carry(
        tx,
        Carrying(
            source_id=source_id,
            target_id=target_id,
            merge_id=merge.id,
            key=f"{merge.id}:{rows[0]['seq']}",
            at=now,
            on=clock.local_date(now, settings().timezone),
            first=False,
        ),
    )
    log.info("merging.passed_on", merge_id=merge.id)


async def sweep() -> int:
    """Pass on what lies on merged members' books whatever became of its event; returns how many had something."""
    after, found = 0, 0
    while rows := await db.fetch(_LEFT, after, SWEPT_AT_ONCE):
        for row in rows:
            async with db.transaction() as tx:
                await pass_on(tx, row["source_id"])
        found, after = found + len(rows), rows[-1]["source_id"]
    return found
