"""Sheets of address labels: asked for by staff once, made by a job, downloaded for a week.

Addresses are read when the sheet is made and stand nowhere but on it, where they lie sealed. Of a batch its letters by
post are printed, and count as sent; members who did not agree to be written to by post for that purpose are left out.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import timedelta

import msgspec

from backend.audience import queries as audience
from backend.audience import service as audiences
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault
from backend.ledger.errors import IdempotencyConflict

from .. import queries
from ..channel_schemas import SheetIn
from ..delivery import labels, sheets
from ..delivery.labels import Label
from ..errors import LabelsNotReady
from ..queries import sheets as known
from ..queries.sheets import Posted, Sheet
from ..service import posting
from ..types import Channel, Purpose
from .batches import get_batch

log = logging.get(__name__)

JOB = "messages.print_labels"
KEPT = timedelta(days=7)
CHUNK = 1000
_CONTEXT = "message_sheet.sealed"


async def ask_for(body: SheetIn, caller: StaffCaller, key: str) -> Sheet:
    """Ask for a sheet; the same with the same key is the same sheet. A store's staff print for their own members."""
    layout = labels.LAYOUTS.get(body.layout)
    if layout is None:
        raise invalid("/layout", "there is no such layout")
    if body.skip >= layout.on_page:
        raise invalid("/skip", "is more than the sheet has places")
    if (body.audience is None) == (body.batch_id is None):
        raise invalid("/audience", "either an audience or a batch")
    meant, purpose, store_id = None, body.purpose, caller.store_id
    if body.audience is not None:
        meant = await audiences.check(body.audience, caller.store_id)
        if await audience.count(meant) > labels.MOST_LABELS:
            raise invalid("/audience", f"is more than {labels.MOST_LABELS} members; print them in parts")
    elif body.batch_id is not None:
        batch = await get_batch(body.batch_id, caller)
        purpose, store_id = batch.purpose, batch.store_id
    return await _insert(body, meant, purpose, store_id, caller.staff_id, key)


async def _insert(
    body: SheetIn, meant: object, purpose: Purpose, store_id: str | None, staff_id: int, key: str
) -> Sheet:
    unique, digest = f"{staff_id}/{key}", hashlib.sha256(msgspec.json.encode(body)).digest()
    sheet_id = ids.new_short("E")
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO message_sheet (id, key, digest, layout, skip, purpose, audience, batch_id, store_id, state,"
            " staff_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11)"
            " ON CONFLICT (key) DO NOTHING RETURNING id",
            sheet_id,
            unique,
            digest,
            body.layout,
            body.skip,
            purpose.value,
            msgspec.json.encode(meant).decode() if meant is not None else None,
            body.batch_id,
            store_id,
            staff_id,
            clock.now(),
        )
        if made:
            await jobs.defer(tx, JOB, sheet_id=sheet_id)
        else:
            (first,) = await db.fetch_in(tx, "SELECT id, digest FROM message_sheet WHERE key = $1", unique)
            if bytes(first["digest"]) != digest:
                raise IdempotencyConflict
            sheet_id = first["id"]
    found = await known.find_sheet(sheet_id)
    assert found is not None
    log.info("messages.labels_asked_for", sheet_id=sheet_id, staff_id=staff_id)
    return found


async def get_sheet(sheet_id: str, caller: StaffCaller) -> Sheet:
    """A sheet that the caller may see; ``NotFound`` for any other."""
    found = await known.find_sheet(sheet_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such sheet")
    return found


async def download(sheet_id: str, caller: StaffCaller) -> bytes:
    """The PDF of a sheet; ``LabelsNotReady`` before it is made, and where there was nobody to print."""
    await get_sheet(sheet_id, caller)
    sealed = await known.find_sealed(sheet_id)
    if sealed is None:
        raise LabelsNotReady
    log.info("messages.labels_downloaded", sheet_id=sheet_id, staff_id=caller.staff_id)
    return base64.b64decode(vault().open(sealed, context=_CONTEXT))


async def make(sheet_id: str) -> None:
    """Make a sheet that waits; done again it changes nothing."""
    found = await known.find_sheet(sheet_id)
    if found is None or found.state != "waiting":
        return
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, f"{known.SHEET} WHERE id = $1 AND state = 'waiting' FOR UPDATE", sheet_id)
        if rows:
            await _make(tx, known.sheet_of(rows[0]))


async def _make(tx: Tx, sheet: Sheet) -> None:
    letters = await _letters(tx, sheet)
    if len(letters) > labels.MOST_LABELS:
        await _end(tx, sheet, "failed", problem="too_many")
        return
    asked = [(letter.member_id, Channel.POST, sheet.purpose) for letter in letters]
    refused = {member_id for member_id, _, _ in await queries.refused_in(tx, asked)}
    agreed = [letter for letter in letters if letter.member_id not in refused]
    receivers = await posting.find_receivers(sorted({letter.member_id for letter in agreed}))
    there = [letter for letter in agreed if letter.member_id in receivers]
    wanted = []
    for letter in there:
        receiver = receivers[letter.member_id]
        wanted.append(Label(receiver.region, receiver.street, receiver.name, letter.title, letter.body))
    pdf = await _draw(sheet, wanted) if wanted else None
    if sheet.batch_id is not None:
        await _count_as_sent(tx, sheet, there)
    await _end(
        tx,
        sheet,
        "done",
        labels=len(wanted),
        no_address=len(agreed) - len(there),
        no_consent=len(letters) - len(agreed),
        pdf=pdf,
    )


async def _letters(tx: Tx, sheet: Sheet) -> list[Posted]:
    """Who is on the sheet, and with which letter; one more than there may be where there are too many."""
    if sheet.batch_id is not None:
        return await known.list_posted(tx, sheet.batch_id, labels.MOST_LABELS + 1)
    assert sheet.audience is not None
    found: list[Posted] = []
    while len(found) <= labels.MOST_LABELS:
        after = found[-1].member_id if found else 0
        page = await audience.list_members(sheet.audience, after=after, limit=CHUNK)
        found += [Posted(member_id, "", "", "") for member_id in page]
        if len(page) < CHUNK:
            break
    return found


async def _draw(sheet: Sheet, wanted: list[Label]) -> bytes:
    said = settings()
    return await asyncio.to_thread(
        sheets.draw,
        labels.LAYOUTS[sheet.layout],
        wanted,
        skip=sheet.skip,
        sender=said.chain_name,
        font_file=said.label_font_file,
    )


async def _count_as_sent(tx: Tx, sheet: Sheet, printed: list[Posted]) -> None:
    now = clock.now()
    await db.raw(tx).execute(
        "UPDATE message_delivery d SET state = 'sent', provider_id = $3, next_at = NULL, reason = NULL,"
        " attempts = attempts + 1, sent_at = coalesce(sent_at, $4), updated_at = $4"
        " FROM unnest($1::bigint[], $2::text[]) AS v (member_id, letter_id)"
        " WHERE d.member_id = v.member_id AND d.letter_id = v.letter_id AND d.channel = 'post' AND d.state = 'queued'",
        [letter.member_id for letter in printed],
        [letter.letter_id for letter in printed],
        sheet.id,
        now,
    )


async def _end(
    tx: Tx, sheet: Sheet, state: str, *, problem: str | None = None, pdf: bytes | None = None, **counts: int
) -> None:
    sealed = vault().seal(base64.b64encode(pdf), context=_CONTEXT) if pdf else None
    count = counts.get("labels", 0)
    await db.raw(tx).execute(
        "UPDATE message_sheet SET state = $2, problem = $3, labels = $4, pages = $5, no_address = $6, no_consent = $7,"
        " sealed = $8, ended_at = $9 WHERE id = $1",
        sheet.id,
        state,
        problem,
        count,
        labels.pages(labels.LAYOUTS[sheet.layout], count, sheet.skip),
        counts.get("no_address", 0),
        counts.get("no_consent", 0),
        sealed,
        clock.now(),
    )


async def sweep() -> None:
    """Delete sheets after a week, with the addresses that are on them."""
    await db.pool().execute("DELETE FROM message_sheet WHERE created_at < $1", clock.now() - KEPT)
