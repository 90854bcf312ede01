"""Cards on their way: to an issuer within its quota, back, or out of the world; a run of serials, chunk by chunk."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db, ids, jobs, logging, tries
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.ledger.errors import IdempotencyConflict

from .. import locks, queries
from ..errors import CardsNotThere, CardTypeConflict
from ..schemas import MoveIn
from ..service.bulk import become_many
from ..service.issuing import free_quota, take_quota
from ..types import UNISSUED, CardState, Handing, IssuerKind, Move, MoveKind, MoveState, Way

log = logging.get(__name__)

CHUNK = 2_000
JOB = "membercards.run_move"
STUCK_AFTER = timedelta(minutes=1)

_SOURCES = {
    MoveKind.ALLOT: (CardState.PRINTED,),
    MoveKind.RETURN: (CardState.ALLOTTED,),
    MoveKind.VOID: UNISSUED,
}
_TARGET = {
    MoveKind.ALLOT: CardState.ALLOTTED,
    MoveKind.RETURN: CardState.PRINTED,
    MoveKind.VOID: CardState.VOID,
}


async def begin(body: MoveIn, staff_id: int, key: str) -> Move:
    """Begin a move, once per person and key: a small one is done at once, the rest of a large one by a job.

    All of its cards must stand so that they can go, and the quota must have room for all of them: it is taken for all
    at once, and what is skipped because it was issued meanwhile is given back.
    """
    unique, move_id = f"{staff_id}/{key}", ids.short_of("CM", staff_id, key)
    if (known := await _known(unique, body)) is not None:
        return known
    if (body.kind is MoveKind.VOID) != (body.issuer_id is None):
        raise invalid("/issuer_id", "say who the cards go to or come from; cards that end have nobody")
    now = clock.now()
    async with db.transaction() as tx:
        if body.issuer_id is not None:
            await _check_issuer(tx, body.issuer_id)
        batch = await _lock_batch(tx, body.batch_id)
        if (known := await _known(unique, body, tx)) is not None:
            return known  # it was on its way while this waited for the batch
        await _check_run(tx, body, batch)
        if body.kind is MoveKind.ALLOT:
            await take_quota(tx, str(body.issuer_id), body.size)
        made = await db.fetch_in(
            tx,
            "INSERT INTO membercard_move (id, key, kind, batch_id, issuer_id, from_serial, to_serial, next_serial,"
            " state, reason, staff_id, created_at, worked_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $6, 'running', $8, $9, $10, $10) ON CONFLICT DO NOTHING RETURNING id",
            move_id,
            unique,
            body.kind.value,
            body.batch_id,
            body.issuer_id,
            body.from_serial,
            body.to_serial,
            body.reason,
            staff_id,
            now,
        )
        if not made:
            raise IdempotencyConflict  # the same key at the same moment; tried again it finds the first
        detail = {"move": move_id, "from": body.from_serial, "to": body.to_serial, "issuer": body.issuer_id}
        await queries.changes.note(tx, body.batch_id, staff_id, body.kind.value, detail, now)
        if await _step(tx, move_id):
            await jobs.defer(tx, JOB, move_id=move_id)
    log.info("membercards.move_begun", move_id=move_id, kind=body.kind.value, staff_id=staff_id, cards=body.size)
    return await queries.get_move(move_id)


async def _known(unique: str, body: MoveIn, tx: Tx | None = None) -> Move | None:
    sql = f"{queries.MOVE} WHERE key = $1"
    rows = await db.fetch(sql, unique) if tx is None else await db.fetch_in(tx, sql, unique)
    if not rows:
        return None
    move = queries.move_of(rows[0])
    same = (move.kind, move.batch_id, move.issuer_id, move.from_serial, move.to_serial, move.reason)
    if same != (body.kind, body.batch_id, body.issuer_id, body.from_serial, body.to_serial, body.reason):
        raise IdempotencyConflict
    return move


async def _check_issuer(tx: Tx, issuer_id: str) -> None:
    try:
        issuer = await locks.lock_issuer(tx, issuer_id)
    except NotFound:
        raise invalid("/issuer_id", "nobody hands out cards under this id") from None
    if issuer.kind is IssuerKind.OFFICE:
        raise invalid("/issuer_id", "head office hands out what is allotted to nobody")


async def _lock_batch(tx: Tx, batch_id: str) -> db.Record:
    try:
        return await locks.lock_batch(tx, batch_id)
    except NotFound:
        raise invalid("/batch_id", "there is no such batch") from None


async def _check_run(tx: Tx, body: MoveIn, batch: db.Record) -> None:
    """Refuse a run of which some card does not stand so that it can go, with the first such serial."""
    if batch["state"] not in ("ready", "exported"):
        raise CardTypeConflict(f"the batch is {batch['state']}", extra={"state": batch["state"]})
    if not 1 <= body.from_serial <= body.to_serial <= batch["total"]:
        raise invalid("/to_serial", f"must be a run of serials from 1 to {batch['total']}")
    rows = await db.fetch_in(
        tx,
        "SELECT count(*) AS others, min(serial) AS first FROM membercard WHERE batch_id = $1"
        " AND serial BETWEEN $2 AND $3 AND NOT (state = ANY($4) AND ($5::text IS NULL OR issuer_id = $5))",
        body.batch_id,
        body.from_serial,
        body.to_serial,
        [state.value for state in _SOURCES[body.kind]],
        body.issuer_id if body.kind is MoveKind.RETURN else None,
    )
    if rows[0]["others"]:
        raise CardsNotThere(extra={"others": rows[0]["others"], "first_serial": rows[0]["first"]})


async def run(move_id: str, *, most: int | None = None) -> None:
    """Move what is left of a run, a chunk a transaction; run again, it goes on. ``most`` chunks, for tests."""
    done, more = 0, True
    while more and (most is None or done < most):
        async with db.transaction() as tx:
            more = await _step(tx, move_id)
        done += 1


async def _step(tx: Tx, move_id: str) -> bool:
    """Move the next cards; whether more are left. The issuer is locked before the move, as wherever both are."""
    move = await _lock(tx, move_id)
    if move.state is not MoveState.RUNNING:
        return False
    last = min(move.next_serial + CHUNK - 1, move.to_serial)
    moved = await become_many(
        tx,
        move.batch_id,
        move.next_serial,
        last,
        state=_TARGET[move.kind],
        sources=_SOURCES[move.kind],
        of=move.issuer_id if move.kind is MoveKind.RETURN else None,
        issuer_id=move.issuer_id if move.kind is MoveKind.ALLOT else None,
        by=Handing(Way.SYSTEM, move.staff_id, reason=move.reason),
    )
    skipped = last - move.next_serial + 1 - moved
    if move.issuer_id is not None:
        await free_quota(tx, move.issuer_id, skipped if move.kind is MoveKind.ALLOT else moved)
    over = last == move.to_serial
    await db.raw(tx).execute(
        "UPDATE membercard_move SET next_serial = $2, moved = moved + $3, skipped = skipped + $4,"
        " worked_at = $5::timestamptz, state = CASE WHEN $6 THEN 'done' ELSE state END,"
        " ended_at = CASE WHEN $6 THEN $5::timestamptz END WHERE id = $1",
        move_id,
        last + 1,
        moved,
        skipped,
        clock.now(),
        over,
    )
    return not over


async def _lock(tx: Tx, move_id: str) -> Move:
    rows = await db.fetch_in(tx, "SELECT issuer_id FROM membercard_move WHERE id = $1", move_id)
    if not rows:
        raise NotFound("there is no such move of cards")
    if rows[0]["issuer_id"] is not None:
        await locks.lock_issuer(tx, rows[0]["issuer_id"])
    return await locks.lock_move(tx, move_id)


async def cancel(move_id: str, staff_id: int) -> Move:
    """Move no further card; what has moved stays, and quota that is not needed is free. Again, it changes nothing."""
    now = clock.now()
    async with db.transaction() as tx:
        move = await _lock(tx, move_id)
        if move.state is MoveState.RUNNING:
            if move.kind is MoveKind.ALLOT and move.issuer_id is not None:
                await free_quota(tx, move.issuer_id, move.to_serial - move.next_serial + 1)
            await db.raw(tx).execute(
                "UPDATE membercard_move SET state = 'cancelled', ended_at = $2 WHERE id = $1", move_id, now
            )
            await queries.changes.note(tx, move.batch_id, staff_id, "cancel", {"move": move_id}, now)
    return await queries.get_move(move_id)


async def resume() -> int:
    """Go on with moves that nobody has worked on for a minute; returns how many."""
    rows = await db.fetch(
        "SELECT id FROM membercard_move WHERE state = 'running' AND worked_at < $1 ORDER BY worked_at LIMIT 20",
        clock.now() - STUCK_AFTER,
    )
    await tries.each(run, [row["id"] for row in rows])
    return len(rows)
