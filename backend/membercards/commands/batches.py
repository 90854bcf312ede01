"""Batches: numbers made little by little, and handed to the printer once."""

from __future__ import annotations

import asyncio
import csv
import io
import secrets
from collections.abc import Sequence
from datetime import timedelta

from backend.kernel import clock, db, ids, jobs, logging, tries
from backend.kernel.cells import text_cell
from backend.kernel.db import Tx

from .. import locks, queries, rules
from ..errors import CardNumbersScarce, CardTypeClosed, CardTypeConflict
from ..schemas import BatchIn
from ..types import Batch, CardType

log = logging.get(__name__)

CHUNK = 2_000
MAKE_JOB = "membercards.make_cards"
STUCK_AFTER = timedelta(minutes=1)

_ADD = """
WITH made AS (
    INSERT INTO membercard (id, number, type_code, state, batch_id, serial)
    SELECT d.id, d.number, $3, 'printed', $4, $5 + row_number() OVER (ORDER BY d.n)
      FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS d (id, number, n)
     WHERE NOT EXISTS (SELECT FROM membercard c WHERE c.number = d.number)
    RETURNING id
), told AS (
    INSERT INTO membercard_step (card_id, n, at, state, way, staff_id)
    SELECT id, 1, $6, 'printed', 'system', $7 FROM made
)
SELECT count(*) AS made FROM made"""


async def create_batch(body: BatchIn, staff_id: int) -> Batch:
    """Begin a batch: the first numbers are made at once, the rest of a large one by a job."""
    batch_id, now = ids.new_short("CB"), clock.now()
    async with db.transaction() as tx:
        card_type = await locks.lock_type(tx, body.type_code)
        if not card_type.active:
            raise CardTypeClosed
        if card_type.drawn + body.total > rules.most_numbers(card_type):
            raise CardNumbersScarce(extra={"left": max(0, rules.most_numbers(card_type) - card_type.drawn)})
        await db.raw(tx).execute(
            "UPDATE membercard_type SET drawn = drawn + $2 WHERE code = $1", card_type.code, body.total
        )
        await db.raw(tx).execute(
            "INSERT INTO membercard_batch (id, type_code, note, total, state, staff_id, created_at, worked_at)"
            " VALUES ($1, $2, $3, $4, 'making', $5, $6, $6)",
            batch_id,
            card_type.code,
            body.note,
            body.total,
            staff_id,
            now,
        )
        detail = {"type": card_type.code, "total": body.total}
        await queries.changes.note(tx, batch_id, staff_id, "create", detail, now)
        if await _add(tx, batch_id, card_type):
            await jobs.defer(tx, MAKE_JOB, batch_id=batch_id)
    return await queries.get_batch(batch_id)


async def make_cards(batch_id: str, *, most: int | None = None) -> None:
    """Make what a batch still lacks, a chunk a transaction; run again, it goes on. ``most`` chunks, for tests."""
    batch = await queries.get_batch(batch_id)
    card_type = await queries.get_type(batch.type_code)
    done, lacks = 0, True
    while lacks and (most is None or done < most):
        async with db.transaction() as tx:
            lacks = await _add(tx, batch_id, card_type)
        done += 1


async def _add(tx: Tx, batch_id: str, card_type: CardType) -> bool:
    """Add the next numbers to a batch; whether it lacks more. A number that another card has is passed over."""
    batch = await locks.lock_batch(tx, batch_id)
    if batch["state"] != "making":
        return False
    wanted = min(CHUNK, batch["total"] - batch["made"])
    numbers = await asyncio.to_thread(_draw, card_type, wanted)
    (added,) = await db.fetch_in(
        tx,
        _ADD,
        [ids.new_bigint() for _ in numbers],
        numbers,
        card_type.code,
        batch_id,
        batch["made"],
        clock.now(),
        batch["staff_id"],
    )
    made = batch["made"] + added["made"]
    await db.raw(tx).execute(
        "UPDATE membercard_batch SET made = $2, worked_at = $3, state = CASE WHEN $2 = total THEN 'ready' ELSE state"
        " END WHERE id = $1",
        batch_id,
        made,
        clock.now(),
    )
    return bool(made < batch["total"])


def _draw(card_type: CardType, count: int) -> list[str]:
    width = rules.random_digits(card_type.prefix, card_type.length, check_digit=card_type.check_digit)
    drawn: set[str] = set()
    while len(drawn) < count:
        drawn.add(rules.make_number(card_type, secrets.randbelow(10**width)))
    return list(drawn)


async def stop_batch(batch_id: str, staff_id: int) -> Batch:
    """Make no further numbers: the batch is as large as it is by now. Repeated, it changes nothing."""
    async with db.transaction() as tx:
        batch = await locks.lock_batch(tx, batch_id)
        if batch["state"] == "making":
            await db.raw(tx).execute(
                "UPDATE membercard_type SET drawn = drawn - $2 WHERE code = $1",
                batch["type_code"],
                batch["total"] - batch["made"],
            )
            await db.raw(tx).execute(
                "UPDATE membercard_batch SET state = CASE WHEN made = 0 THEN 'void' ELSE 'ready' END,"
                " total = greatest(made, 1) WHERE id = $1",
                batch_id,
            )
            await queries.changes.note(tx, batch_id, staff_id, "stop", {"made": batch["made"]}, clock.now())
    return await queries.get_batch(batch_id)


async def export_batch(batch_id: str, staff_id: int) -> bytes:
    """The batch's numbers as CSV, this once; who took them is written down with it."""
    now = clock.now()
    async with db.transaction() as tx:
        batch = await locks.lock_batch(tx, batch_id)
        if batch["state"] != "ready":
            raise CardTypeConflict(f"the batch is {batch['state']}", extra={"state": batch["state"]})
        rows = await db.fetch_in(
            tx,
            "SELECT c.serial, c.number, b.note, t.name FROM membercard c JOIN membercard_batch b ON b.id = c.batch_id"
            " JOIN membercard_type t ON t.code = c.type_code WHERE c.batch_id = $1 ORDER BY c.serial",
            batch_id,
        )
        await db.raw(tx).execute(
            "UPDATE membercard_batch SET state = 'exported', exported_at = $2, exported_by = $3 WHERE id = $1",
            batch_id,
            now,
            staff_id,
        )
        await queries.changes.note(tx, batch_id, staff_id, "export", {"cards": len(rows)}, now)
    log.info("membercards.batch_exported", batch_id=batch_id, staff_id=staff_id, cards=len(rows))
    return await asyncio.to_thread(_csv, batch_id, rows)


def _csv(batch_id: str, rows: Sequence[db.Record]) -> bytes:
    """UTF-8 with a byte order mark, by which spreadsheets know it; in groups of four, or they would round a number."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(("number", "serial", "type", "batch", "note"))
    for row in rows:
        number = row["number"]
        shown = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
        lines.writerow((shown, row["serial"], text_cell(row["name"]), batch_id, text_cell(row["note"])))
    return text.getvalue().encode("utf-8-sig")


async def resume() -> int:
    """Go on with batches that nobody has worked on for a minute; returns how many."""
    rows = await db.fetch(
        "SELECT id FROM membercard_batch WHERE state = 'making' AND worked_at < $1 ORDER BY worked_at LIMIT 20",
        clock.now() - STUCK_AFTER,
    )
    await tries.each(make_cards, [row["id"] for row in rows])
    return len(rows)
