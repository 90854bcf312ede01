"""What time does to passes: days are earned, a warning before the last one, and the end after it."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel import clock, db, events, logging
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import SERVICE
from backend.ledger.queries import Cursor

from .. import plans, queries, service
from ..events import PassExpiring
from ..rules.recognising import earned_through, next_recognition
from ..types import Held, PassState

log = logging.get(__name__)

RECOGNISED_AT_ONCE = 200
RECOGNITIONS = 500
WARNED_AT_ONCE = 500
WARNINGS = 400


async def expire_passes(now: datetime, *, batch: int = ledger.SWEPT_AT_ONCE, batches: int = ledger.SWEEPS) -> int:
    """End passes whose last day was before today; returns how many transfers it took."""
    on = service.today(now)

    async def due(after: Cursor, limit: int) -> list[Cursor]:
        return await ledger_queries.list_expired_lots([SERVICE], on, after=after, limit=limit)

    async def expire(member_id: int) -> int:
        return await _expire_member(member_id, now, on)

    return await ledger.sweep(due, expire, batch=batch, batches=batches)


async def _expire_member(member_id: int, now: datetime, on: date) -> int:
    holdings = await ledger_queries.list_refs(member_id, SERVICE)
    over = [item.ref for item in holdings if item.expires_on is not None and item.expires_on < on]
    done = 0
    for held in (await queries.find_passes(member_id, over, on)).values():
        if held.state is PassState.EXPIRED and held.uses_left > 0:
            posted = await ledger.post(plans.expire(held, now=now, on=on))
            done += not posted.replayed
    return done


async def recognise_days(now: datetime) -> int:
    """Earn what the days of timed passes and discount cards up to the end of last month are worth; how many it was.

    Each pass comes once a month; one that moved meanwhile, or failed, is left to the next run.
    """
    on = service.today(now)
    done, after = 0, (date.min, 0, "")
    for _ in range(RECOGNITIONS):
        rows = await db.fetch(
            "SELECT recognise_on, member_id, id, expires_on FROM pass_card WHERE ended_as IS NULL"
            " AND recognise_on <= $1 AND (recognise_on, member_id, id) > ($2, $3, $4)"
            " ORDER BY recognise_on, member_id, id LIMIT $5",
            on,
            *after,
            RECOGNISED_AT_ONCE,
        )
        for row in rows:
            done += await _recognise_alone(row["member_id"], row["id"], earned_through(on, row["expires_on"]), now, on)
        if len(rows) < RECOGNISED_AT_ONCE:
            break
        after = (rows[-1]["recognise_on"], rows[-1]["member_id"], rows[-1]["id"])
    return done


async def _recognise_alone(member_id: int, pass_id: str, through: date, now: datetime, on: date) -> int:
    try:
        return await _recognise(member_id, pass_id, through, now, on)
    except Stale:
        return 0
    except DomainError as error:
        log.error("passes.days_not_recognised", pass_id=pass_id, error=error.code)
        return 0


async def _recognise(member_id: int, pass_id: str, through: date, now: datetime, on: date) -> int:
    held = await queries.find_pass(member_id, pass_id, on)
    if held is None:
        return 0
    posted = await _post(held, through, now, on) if held.state is PassState.ACTIVE else 0
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE pass_card SET recognise_on = $3 WHERE member_id = $1 AND id = $2 AND ended_as IS NULL",
            member_id,
            pass_id,
            next_recognition(on) if held.state is PassState.ACTIVE else None,
        )
    return posted


async def _post(held: Held, through: date, now: datetime, on: date) -> int:
    fen = plans.elapsed_share(held, through)
    if not fen:
        return 0
    posted = await ledger.post(plans.recognise(held, fen, through, now=now, on=on))
    return int(not posted.replayed)


async def warn_of_expiry(now: datetime, days: int) -> int:
    """Say of every pass once that it will expire within so many days; returns of how many."""
    if not days:
        return 0
    on = service.today(now)
    warned = 0
    for _ in range(WARNINGS):
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                "UPDATE pass_card SET warned_at = $3 FROM ("
                "  SELECT member_id, id FROM pass_card WHERE warned_at IS NULL AND ended_as IS NULL"
                "   AND expires_on BETWEEN $1 AND $2 ORDER BY expires_on, member_id LIMIT $4 FOR UPDATE SKIP LOCKED"
                " ) AS due WHERE pass_card.member_id = due.member_id AND pass_card.id = due.id"
                " RETURNING pass_card.member_id, pass_card.id, pass_card.expires_on",
                on,
                clock.days_after(on, days),
                now,
                WARNED_AT_ONCE,
            )
            await events.publish_many(
                tx, [PassExpiring(member_id=row[0], pass_id=row[1], expires_on=row[2]) for row in rows]
            )
        warned += len(rows)
        if len(rows) < WARNED_AT_ONCE:
            break
    return warned
