"""Staff send a template to many: asked for once, started, paused, gone on with, cancelled; each with who did it."""

from __future__ import annotations

import hashlib

import msgspec

from backend.audience import queries as audience
from backend.audience import service as audiences
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.db import Tx
from backend.kernel.errors import Forbidden, NotFound, invalid
from backend.ledger.errors import IdempotencyConflict

from .. import queries, rules
from ..errors import MessageBatchChanged, MessageBatchConflict
from ..schemas import BatchChangeIn, BatchIn
from ..service import rendering
from ..service.sending import JOB
from ..types import Batch, BatchState, Purpose, Template
from .deciding import alone

log = logging.get(__name__)

_MOVES: dict[str, frozenset[BatchState]] = {
    "start": frozenset({BatchState.DRAFT}),
    "pause": frozenset({BatchState.SCHEDULED, BatchState.RUNNING}),
    "resume": frozenset({BatchState.PAUSED}),
    "cancel": frozenset({BatchState.DRAFT, BatchState.SCHEDULED, BatchState.RUNNING, BatchState.PAUSED}),
}
_RESULTS = {
    "start": frozenset({BatchState.SCHEDULED, BatchState.RUNNING}),
    "pause": frozenset({BatchState.PAUSED}),
    "resume": frozenset({BatchState.SCHEDULED, BatchState.RUNNING}),
    "cancel": frozenset({BatchState.CANCELLED}),
}


async def get_batch(batch_id: str, caller: StaffCaller) -> Batch:
    """A batch that the caller may see; ``NotFound`` for any other."""
    found = await queries.find_batch(batch_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such batch")
    return found


async def create_batch(body: BatchIn, caller: StaffCaller, key: str) -> tuple[Batch, bool]:
    """Ask for a batch: a draft, until it is started; the same with the same key is the same batch, there already.

    A store's staff mean their own store's members. What is about members' own affairs, and so needs no consent, only
    head office sends to many.
    """
    meant = await audiences.check(body.audience, caller.store_id)
    template = await _template(body.template, caller)
    _check_said(template, body)
    unique, digest = f"{caller.staff_id}/{key}", hashlib.sha256(msgspec.json.encode(body)).digest()
    batch_id, now = ids.new_short("N"), clock.now()
    expected = await audience.count(meant)
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO message_batch (id, key, digest, title, template, purpose, given, audience, link, store_id,"
            " state, expected, send_at, staff_id, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'draft', $11, $12, $13, $14, $14)"
            " ON CONFLICT (key) DO NOTHING RETURNING id",
            batch_id,
            unique,
            digest,
            body.title,
            template.code,
            template.purpose.value,
            msgspec.json.encode(body.values).decode(),
            msgspec.json.encode(meant).decode(),
            body.link,
            caller.store_id,
            expected,
            body.send_at,
            caller.staff_id,
            now,
        )
        if made:
            await queries.batch_changes.note(tx, batch_id, caller.staff_id, "create", {"expected": expected}, now)
        else:
            (known,) = await db.fetch_in(tx, "SELECT id, digest FROM message_batch WHERE key = $1", unique)
            if bytes(known["digest"]) != digest:
                raise IdempotencyConflict
            batch_id = known["id"]
    return await get_batch(batch_id, caller), not made


async def change_batch(batch_id: str, body: BatchChangeIn, caller: StaffCaller) -> Batch:
    """Put another draft in the place of the one that was read; whose it is stays. ``expected`` is counted anew."""
    seen = await get_batch(batch_id, caller)
    meant = await audiences.check(body.audience, seen.store_id)
    template = await _template(body.template, caller)
    _check_said(template, body)
    expected = await audience.count(meant)
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{queries.BATCH} WHERE id = $1 FOR UPDATE", batch_id)
        found, now = queries.batch_of(rows[0]), clock.now()
        if found.state is not BatchState.DRAFT:
            raise MessageBatchConflict(f"the batch is {found.state.value}; only a draft is changed")
        if found.version != body.version:
            raise MessageBatchChanged
        await db.raw(tx).execute(
            "UPDATE message_batch SET title = $2, template = $3, purpose = $4, given = $5, audience = $6, link = $7,"
            " expected = $8, send_at = $9, updated_at = $10, version = version + 1 WHERE id = $1",
            batch_id,
            body.title,
            template.code,
            template.purpose.value,
            msgspec.json.encode(body.values).decode(),
            msgspec.json.encode(meant).decode(),
            body.link,
            expected,
            body.send_at,
            now,
        )
        await queries.batch_changes.note(tx, batch_id, caller.staff_id, "change", {"expected": expected}, now)
    return await get_batch(batch_id, caller)


async def move_batch(batch_id: str, move: str, caller: StaffCaller) -> Batch:
    """Start, pause, go on with or cancel a batch; repeated, it changes nothing. Letters that were sent stay sent."""
    await get_batch(batch_id, caller)
    async with db.transaction() as tx:
        await alone(tx)
        now = clock.now()
        rows = await db.fetch_in(tx, f"{queries.BATCH} WHERE id = $1 FOR UPDATE", batch_id)
        found = queries.batch_of(rows[0])
        if found.state not in _MOVES[move]:
            if found.state in _RESULTS[move]:
                return found
            raise MessageBatchConflict(f"the batch is {found.state.value}")
        later = found.send_at is not None and found.send_at > now
        runs = BatchState.SCHEDULED if later else BatchState.RUNNING
        state = {"pause": BatchState.PAUSED, "cancel": BatchState.CANCELLED}.get(move, runs)
        await db.raw(tx).execute(
            "UPDATE message_batch SET state = $2::text, updated_at = $3, problem = NULL,"
            " started_at = CASE WHEN $2::text = 'running' THEN coalesce(started_at, $3) ELSE started_at END,"
            " ended_at = CASE WHEN $2::text = 'cancelled' THEN $3 END WHERE id = $1",
            batch_id,
            state.value,
            now,
        )
        if move in ("resume", "cancel"):
            await _release(tx, batch_id)
        await queries.batch_changes.note(tx, batch_id, caller.staff_id, move, {}, now)
        await jobs.defer(tx, JOB, unique=JOB)
    log.info("messages.batch_moved", batch_id=batch_id, move=move, staff_id=caller.staff_id)
    return await get_batch(batch_id, caller)


async def _release(tx: Tx, batch_id: str) -> None:
    """Let what was held while it was paused be looked at again: it is sent, or not to be sent any more."""
    await db.raw(tx).execute(
        "UPDATE message_delivery SET next_at = $2 WHERE batch_id = $1 AND state = 'queued' AND next_at IS NULL",
        batch_id,
        clock.now(),
    )


async def _template(code: str, caller: StaffCaller) -> Template:
    template = await queries.find_template(code)
    if template is None or template.builtin:
        raise invalid("/template", "there is no template of staff's own with that code")
    if template.purpose is Purpose.SERVICE and not caller.may(Permission.MESSAGES_SERVICE):
        raise Forbidden("what needs no consent is sent to many by head office alone")
    return template


def _check_said(template: Template, body: BatchIn) -> None:
    """Refuse a letter that could not be written: values that lack or are none of their kind, a link elsewhere."""
    if body.send_at is not None and body.send_at.year not in clock.YEARS:
        raise invalid("/send_at", "is out of range")
    if body.link is not None and not rules.is_link(body.link):
        raise invalid("/link", "is no address of the phone page")
    try:
        values = rendering.values(template, body.values, None)
        for channel in template.channels:
            rules.said(template, channel, values)
    except KeyError as error:
        raise invalid("/values", f"has no {error.args[0]}") from None
    except ValueError:
        raise invalid("/values", "a value is none of its variable's kind") from None
