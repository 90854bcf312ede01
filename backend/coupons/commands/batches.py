"""Batches of codes: made little by little, handed over once as a file, and kept only as what cannot be tried."""

from __future__ import annotations

import asyncio
import csv
import io
import secrets

from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.cells import text_cell
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault

from .. import codes, locks, queries
from ..errors import BatchConflict, TemplateConflict
from ..records import Batch, TemplateState
from ..schemas import BatchIn
from .claims import code_digest

log = logging.get(__name__)

CHUNK = 2000
SECRET_CONTEXT = "coupon_batch.secret"  # noqa: S105 - names what is sealed
MAKE_JOB = "coupons.make_codes"


async def create_batch(template_id: str, body: BatchIn, staff_id: int) -> Batch:
    """Begin a batch and keep its codes from the total; small ones are made at once, the rest of large ones by a job."""
    batch_id, now, secret = ids.new_short("B"), clock.now(), secrets.token_bytes(32)
    first = await asyncio.to_thread(_digests, secret, 0, min(CHUNK, body.total))
    async with db.transaction() as tx:
        template = await locks.lock_template(tx, template_id)
        if template.state is TemplateState.ENDED:
            raise TemplateConflict("the template has ended")
        if template.left is not None and template.left < body.total:
            raise invalid("/total", f"only {template.left} are left of this template")
        await db.raw(tx).execute(
            "UPDATE coupon_template SET reserved = reserved + $2 WHERE id = $1", template_id, body.total
        )
        await db.raw(tx).execute(
            "INSERT INTO coupon_batch (id, template_id, note, total, made, claimed, state, secret_sealed, staff_id,"
            " created_at) VALUES ($1, $2, $3, $4, 0, 0, 'making', $5, $6, $7)",
            batch_id,
            template_id,
            body.note,
            body.total,
            vault().seal(secret, context=SECRET_CONTEXT),
            staff_id,
            now,
        )
        await queries.changes.note(tx, template_id, staff_id, "batch", {"batch": batch_id, "total": body.total}, now)
        await _add(tx, batch_id, template_id, 0, first)
        if len(first) < body.total:
            await jobs.defer(tx, MAKE_JOB, batch_id=batch_id)
    return await get_batch(batch_id)


async def make_codes(batch_id: str) -> None:
    """Make what a batch still lacks, a chunk a transaction; taken up again where it was cut short."""
    while batch := await db.fetchrow(
        "SELECT template_id, total, made, secret_sealed FROM coupon_batch WHERE id = $1 AND state = 'making'", batch_id
    ):
        secret = vault().open(batch["secret_sealed"], context=SECRET_CONTEXT)
        made = batch["made"]
        digests = await asyncio.to_thread(_digests, secret, made, min(made + CHUNK, batch["total"]))
        async with db.transaction() as tx:
            await _add(tx, batch_id, batch["template_id"], made, digests)


async def _add(tx: Tx, batch_id: str, template_id: str, made: int, digests: list[bytes]) -> None:
    """Add these codes to a batch that has so many; nothing where it has others by now, or is void."""
    added = await db.fetch_in(
        tx,
        "UPDATE coupon_batch SET made = $3, state = CASE WHEN $3 = total THEN 'ready' ELSE state END"
        " WHERE id = $1 AND made = $2 AND state = 'making' RETURNING 1",
        batch_id,
        made,
        made + len(digests),
    )
    if added:
        await db.raw(tx).execute(
            "INSERT INTO coupon_code (digest, batch_id, template_id) SELECT d, $2, $3 FROM unnest($1::bytea[]) AS d",
            digests,
            batch_id,
            template_id,
        )


def _digests(secret: bytes, start: int, stop: int) -> list[bytes]:
    return [code_digest(codes.make_code(secret, number)) for number in range(start, stop)]


async def export_batch(batch_id: str, staff_id: int) -> bytes:
    """The codes as CSV, this once: what they are made from is forgotten before the file goes out."""
    batch = await db.fetchrow(
        "SELECT template_id, note, total, state, secret_sealed FROM coupon_batch WHERE id = $1", batch_id
    )
    if batch is None:
        raise NotFound("there is no such batch")
    if batch["state"] != "ready":
        raise BatchConflict(f"the batch is {batch['state']}")
    secret = vault().open(batch["secret_sealed"], context=SECRET_CONTEXT)
    file = await asyncio.to_thread(_csv, batch_id, batch["note"], secret, batch["total"])
    async with db.transaction() as tx:
        now = clock.now()
        exported = await db.fetch_in(
            tx,
            "UPDATE coupon_batch SET state = 'exported', secret_sealed = NULL, exported_at = $2"
            " WHERE id = $1 AND state = 'ready' RETURNING 1",
            batch_id,
            now,
        )
        if not exported:
            raise BatchConflict
        await queries.changes.note(tx, batch["template_id"], staff_id, "export", {"batch": batch_id}, now)
    log.info("coupons.codes_exported", batch_id=batch_id, staff_id=staff_id, total=batch["total"])
    return file


def _csv(batch_id: str, batch_note: str, secret: bytes, total: int) -> bytes:
    """UTF-8 with a byte order mark, by which spreadsheets know it."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("code", "batch", "note"))
    named = text_cell(batch_note)
    rows.writerows((codes.printed(codes.make_code(secret, number)), batch_id, named) for number in range(total))
    return text.getvalue().encode("utf-8-sig")


async def void_batch(batch_id: str, staff_id: int) -> Batch:
    """Make the codes worthless that were not redeemed, and give free what was kept for them."""
    known = await get_batch(batch_id)
    async with db.transaction() as tx:
        await locks.lock_template(tx, known.template_id)
        rows = await db.fetch_in(
            tx,
            "UPDATE coupon_batch SET state = 'void', secret_sealed = NULL WHERE id = $1 AND state <> 'void'"
            " RETURNING total - claimed AS unclaimed",
            batch_id,
        )
        if rows:
            await db.raw(tx).execute(
                "UPDATE coupon_template SET reserved = reserved - $2 WHERE id = $1",
                known.template_id,
                rows[0]["unclaimed"],
            )
            await queries.changes.note(tx, known.template_id, staff_id, "void_batch", {"batch": batch_id}, clock.now())
    return await get_batch(batch_id)


async def get_batch(batch_id: str) -> Batch:
    """A batch; ``NotFound`` for none."""
    found = await queries.find_batch(batch_id)
    if found is None:
        raise NotFound("there is no such batch")
    return found
