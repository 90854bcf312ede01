"""What the clock asks for: reading old documents, warnings before a period ends, counting stages."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.messages import service as messages
from backend.messages.types import Letter

from .. import letters, queries, service, views
from ..rules import facts

AT_ONCE = 500
ROUNDS = 200
WARN_DAYS = 30


async def look_back() -> int:
    """Go on reading what was bought before anybody wrote it down, by member and document; how many it were."""
    read = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            place = await db.fetch_in(
                tx, "SELECT member_id, document_id FROM lifecycle_backfill WHERE NOT done FOR UPDATE"
            )
            if not place:
                break
            documents = await ledger.list_documents_after(
                facts.KINDS, place[0]["member_id"], place[0]["document_id"], AT_ONCE
            )
            counted = [one for one in documents if one.state in facts.BOUGHT]
            await service.write_facts(tx, counted)
            last = (documents[-1].member_id, documents[-1].id) if documents else (0, "")
            await db.raw(tx).execute(
                "UPDATE lifecycle_backfill SET member_id = $1, document_id = $2, done = $3",
                *last,
                len(documents) < AT_ONCE,
            )
        read += len(documents)
        if len(documents) < AT_ONCE:
            break
    return read


async def warn_of_ending() -> int:
    """Write to members whose level ends within a month and is not kept yet; to how many."""
    today = clock.local_date(clock.now(), settings().timezone)
    told = 0
    for _ in range(ROUNDS):
        ending = await queries.list_ending(today, today + timedelta(days=WARN_DAYS), AT_ONCE)
        if not ending:
            break
        async with db.transaction() as tx:
            written = [letter for member_id in ending if (letter := await _warning(member_id)) is not None]
            told += await messages.send(tx, written)
            await db.raw(tx).execute(
                "UPDATE lifecycle_standing SET warned_for = until WHERE member_id = ANY($1::bigint[])", ending
            )
    return told


async def _warning(member_id: int) -> Letter | None:
    """What a member still has to do to keep the level; None where nothing is lacking, or nothing can be done."""
    shown = await views.show(member_id)
    if shown.until is None or shown.locked or shown.keep is None or shown.keep.met or shown.granted:
        return None
    lacks = {one.metric: one.missing for one in shown.keep.criteria}
    said = {
        "level_name": shown.own_level.name,
        "day": letters.day_text(shown.until),
        "missing": letters.missing_text(lacks, all_of_them=shown.keep.match == "all"),
    }
    return Letter(member_id, letters.ENDING.code, said, shown.until.isoformat(), "#/level")


_COUNT = """
INSERT INTO lifecycle_stage_count (day, store_id, stage, members)
SELECT $1, coalesce(store_id, ''), stage, count(*) FROM member
 WHERE status = 'active' AND stage IS NOT NULL GROUP BY 2, 3
    ON CONFLICT (day, store_id, stage) DO UPDATE SET members = EXCLUDED.members"""


async def count_stages() -> None:
    """Count who is in which stage today, by store; the last count of a day stays."""
    today = clock.local_date(clock.now(), settings().timezone)
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM lifecycle_stage_count WHERE day = $1", today)
        await db.raw(tx).execute(_COUNT, today)
