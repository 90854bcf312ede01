"""Batches of cards: made little by little, handed over once as a file for the printer, kept as what cannot be tried."""

from __future__ import annotations

import asyncio
import csv
import io
import secrets
from collections.abc import Sequence

from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.cells import text_cell
from backend.kernel.db import Tx
from backend.kernel.vault import vault

from .. import locks, numbers, queries
from ..errors import GiftBatchConflict, GiftCardProductEnded
from ..records import Batch, ProductState
from ..schemas import BatchIn

log = logging.get(__name__)

CHUNK = 2000
SECRET_CONTEXT = "giftcard_batch.secret"  # noqa: S105 - names what is sealed
MAKE_JOB = "giftcards.make_cards"

Row = tuple[int, int, bytes, bytes, str]
"""A card to be: id, serial, the digests of its number and PIN, and its last four digits."""


async def create_batch(product_id: str, body: BatchIn, staff_id: int, *, secret: bytes | None = None) -> Batch:
    """Begin a batch; small ones are made at once, the rest of large ones by a job.

    ``secret`` is what its numbers and PINs are made from: random, but for data that is to be the same every time.
    """
    product = await queries.get_product(product_id)
    if product.state is not ProductState.ACTIVE:
        raise GiftCardProductEnded
    batch_id, now = ids.new_short("B"), clock.now()
    secret = secret or secrets.token_bytes(32)
    first = await asyncio.to_thread(_cards, secret, 0, min(CHUNK, body.total))
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO giftcard_batch (id, product_id, note, total, made, drawn, state, secret_sealed, staff_id,"
            " created_at) VALUES ($1, $2, $3, $4, 0, 0, 'making', $5, $6, $7)",
            batch_id,
            product_id,
            body.note,
            body.total,
            vault().seal(secret, context=SECRET_CONTEXT),
            staff_id,
            now,
        )
        await queries.changes.note(tx, product_id, staff_id, "batch", {"batch": batch_id, "total": body.total}, now)
        await _add(tx, batch_id, first)
        (row,) = await db.fetch_in(tx, "SELECT made FROM giftcard_batch WHERE id = $1", batch_id)
        if row["made"] < body.total:
            await jobs.defer(tx, MAKE_JOB, batch_id=batch_id)
    return await queries.get_batch(batch_id)


async def make_cards(batch_id: str) -> None:
    """Make what a batch still lacks, a chunk a transaction; taken up again where it was cut short."""
    while batch := await db.fetchrow(
        "SELECT total - made AS lacks, drawn, secret_sealed FROM giftcard_batch WHERE id = $1 AND state = 'making'",
        batch_id,
    ):
        secret = vault().open(batch["secret_sealed"], context=SECRET_CONTEXT)
        drawn = batch["drawn"]
        cards = await asyncio.to_thread(_cards, secret, drawn, drawn + min(CHUNK, batch["lacks"]))
        async with db.transaction() as tx:
            await _add(tx, batch_id, cards)


async def _add(tx: Tx, batch_id: str, cards: Sequence[Row]) -> None:
    """Add these cards to a batch; nothing where it has others by now, or is void.

    A number that another card has is passed over, which of 10^13 with a million cards happens to one in ten million.
    """
    batch = await locks.lock_batch(tx, batch_id)
    if batch["state"] != "making" or batch["drawn"] != cards[0][1]:
        return
    added = await db.fetch_in(
        tx,
        "INSERT INTO giftcard (id, product_id, batch_id, serial, number_digest, pin_digest, last4, state, activations)"
        " SELECT id, $6, $7, serial, number, pin, last4, 'made', 0"
        " FROM unnest($1::bigint[], $2::int[], $3::bytea[], $4::bytea[], $5::text[])"
        " AS made (id, serial, number, pin, last4) ON CONFLICT (number_digest) DO NOTHING RETURNING 1",
        *(list(column) for column in zip(*cards, strict=True)),
        batch["product_id"],
        batch_id,
    )
    await db.raw(tx).execute(
        "UPDATE giftcard_batch SET made = made + $2, drawn = drawn + $3,"
        " state = CASE WHEN made + $2 = total THEN 'ready' ELSE state END WHERE id = $1",
        batch_id,
        len(added),
        len(cards),
    )


def _cards(secret: bytes, start: int, stop: int) -> list[Row]:
    rows = []
    for serial in range(start, stop):
        number = numbers.make_number(secret, serial)
        digest = queries.number_digest(number)
        pin = queries.pin_digest(digest, numbers.make_pin(secret, serial))
        rows.append((ids.new_bigint(), serial, digest, pin, number[-4:]))
    return rows


async def export_batch(batch_id: str, staff_id: int) -> bytes:
    """Numbers and PINs as CSV, this once: what they are made from is forgotten before the file goes out."""
    async with db.transaction() as tx:
        batch = await locks.lock_batch(tx, batch_id)
        if batch["state"] != "ready":
            raise GiftBatchConflict(f"the batch is {batch['state']}")
        rows = await db.fetch_in(tx, "SELECT serial FROM giftcard WHERE batch_id = $1 ORDER BY serial", batch_id)
        now = clock.now()
        await db.raw(tx).execute(
            "UPDATE giftcard_batch SET state = 'exported', secret_sealed = NULL, exported_at = $2 WHERE id = $1",
            batch_id,
            now,
        )
        await queries.changes.note(tx, batch["product_id"], staff_id, "export", {"batch": batch_id}, now)
    secret = vault().open(batch["secret_sealed"], context=SECRET_CONTEXT)
    log.info("giftcards.batch_exported", batch_id=batch_id, staff_id=staff_id, total=len(rows))
    return await asyncio.to_thread(_csv, batch_id, batch["note"], secret, [row["serial"] for row in rows])


def _csv(batch_id: str, batch_note: str, secret: bytes, serials: Sequence[int]) -> bytes:
    """UTF-8 with a byte order mark, by which spreadsheets know it. Of 16 digits one would round the last."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("number", "pin", "batch", "note"))
    named = text_cell(batch_note)
    rows.writerows(
        (numbers.printed(numbers.make_number(secret, serial)), f"'{numbers.make_pin(secret, serial)}", batch_id, named)
        for serial in serials
    )
    return text.getvalue().encode("utf-8-sig")


async def void_batch(batch_id: str, staff_id: int) -> Batch:
    """Close the cards of a batch that were not sold; repeated, it changes nothing."""
    async with db.transaction() as tx:
        batch = await locks.lock_batch(tx, batch_id)
        if batch["state"] != "void":
            await db.raw(tx).execute(
                "UPDATE giftcard_batch SET state = 'void', secret_sealed = NULL WHERE id = $1", batch_id
            )
            # In the order of ids, as every lock of cards is taken.
            await db.raw(tx).execute(
                "UPDATE giftcard SET state = 'closed' WHERE state = 'made' AND id IN"
                " (SELECT id FROM giftcard WHERE batch_id = $1 AND state = 'made' ORDER BY id FOR UPDATE)",
                batch_id,
            )
            await queries.changes.note(
                tx, batch["product_id"], staff_id, "void_batch", {"batch": batch_id}, clock.now()
            )
    return await queries.get_batch(batch_id)
