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
from ..errors import LabelsNotReady, MessageBatchConflict
from ..queries import sheets as known
from ..queries.sheets import Posted, Sheet
from ..service import posting
from ..service.posting import Receiver
from ..types import BatchState, Channel, Purpose, State
from .batches import get_batch

log = logging.get(__name__)

JOB = "messages.print_labels"
KEPT = timedelta(days=7)
STOPPED = frozenset({BatchState.PAUSED, BatchState.CANCELLED})
"""Of a batch in these states nothing more is sent, by post either."""
CHUNK = 1000
_CONTEXT = "message_sheet.sealed"


async def ask_for(body: SheetIn, caller: StaffCaller, key: str) -> tuple[Sheet, bool]:
    """Ask for a sheet; the same with the same key is the same sheet, of which is said that it was there already.

    A store's staff print for their own members.
    """
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
        if batch.state in STOPPED:
            raise MessageBatchConflict(f"the batch is {batch.state.value}")
        purpose, store_id = batch.purpose, batch.store_id
    return await _insert(body, meant, purpose, store_id, caller.staff_id, key)


async def _insert(
    body: SheetIn, meant: object, purpose: Purpose, store_id: str | None, staff_id: int, key: str
) -> tuple[Sheet, bool]:
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
    return found, not made


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


class _Judged(msgspec.Struct):
    """Who is on a sheet and where they live, and who is not: for want of consent, or of an address."""

    there: list[tuple[Posted, Receiver]] = []
    unwilling: list[Posted] = []
    nowhere: list[Posted] = []

    async def add(self, tx: Tx, letters: list[Posted], purpose: Purpose) -> None:
        """Judge these letters, too."""
        asked = [(letter.member_id, Channel.POST, purpose) for letter in letters]
        refused = {member_id for member_id, _, _ in await queries.refused_in(tx, asked)}
        receivers = await posting.find_receivers([x.member_id for x in letters if x.member_id not in refused])
        for letter in letters:
            receiver = receivers.get(letter.member_id)
            if letter.member_id in refused:
                self.unwilling.append(letter)
            elif receiver is None:
                self.nowhere.append(letter)
            else:
                self.there.append((letter, receiver))


async def _make(tx: Tx, sheet: Sheet) -> None:
    if sheet.batch_id is not None and await _is_stopped(tx, sheet.batch_id):
        await _end(tx, sheet, "failed", problem="stopped")
        return
    judged = await _of_audience(tx, sheet) if sheet.batch_id is None else await _of_batch(tx, sheet, sheet.batch_id)
    if judged is None:
        await _end(tx, sheet, "failed", problem="too_many")
        return
    wanted = [Label(to.region, to.street, to.name, letter.title, letter.body) for letter, to in judged.there]
    pdf = await _draw(sheet, wanted) if wanted else None
    if sheet.batch_id is not None:
        await _settle(tx, [letter for letter, _ in judged.there], State.SENT, provider_id=sheet.id)
        await _settle(tx, judged.unwilling, State.SUPPRESSED, reason="no_consent")
        await _settle(tx, judged.nowhere, State.SUPPRESSED, reason="no_address")
    await _end(
        tx,
        sheet,
        "done",
        labels=len(wanted),
        no_address=len(judged.nowhere),
        no_consent=len(judged.unwilling),
        pdf=pdf,
    )


async def _is_stopped(tx: Tx, batch_id: str) -> bool:
    """Whether nothing more of a batch is to be sent; it is not stopped before the sheet is made."""
    rows = await db.fetch_in(tx, "SELECT state FROM message_batch WHERE id = $1 FOR SHARE", batch_id)
    return not rows or BatchState(rows[0]["state"]) in STOPPED


async def _of_audience(tx: Tx, sheet: Sheet) -> _Judged | None:
    """Who is meant; None where they are more than a sheet has labels for."""
    assert sheet.audience is not None
    judged, after, count = _Judged(), 0, 0
    while page := await audience.list_members(sheet.audience, after=after, limit=CHUNK):
        after, count = page[-1], count + len(page)
        if count > labels.MOST_LABELS:
            return None
        await judged.add(tx, [Posted(member_id, "", "", "") for member_id in page], sheet.purpose)
    return judged


async def _of_batch(tx: Tx, sheet: Sheet, batch_id: str) -> _Judged:
    """The next letters of a batch that are to go by post; where all have gone, those that went, once more."""
    judged = _Judged()
    for state in (State.QUEUED, State.SENT):
        after = 0
        while room := labels.MOST_LABELS - len(judged.there):
            page = await known.list_posted(tx, batch_id, state, after=after, limit=min(CHUNK, room))
            if not page:
                break
            after = page[-1].member_id
            await judged.add(tx, page, sheet.purpose)
        if judged.there:
            break
    return judged


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


async def _settle(
    tx: Tx, letters: list[Posted], state: State, *, provider_id: str | None = None, reason: str | None = None
) -> None:
    """Write down what became of letters that waited to be printed."""
    now = clock.now()
    await db.raw(tx).execute(
        "UPDATE message_delivery d SET state = $3::text, provider_id = $4, next_at = NULL, reason = $5,"
        " attempts = attempts + ($3::text = 'sent')::int,"
        " sent_at = CASE WHEN $3::text = 'sent' THEN coalesce(sent_at, $6) END, updated_at = $6"
        " FROM unnest($1::bigint[], $2::text[]) AS v (member_id, letter_id)"
        " WHERE d.member_id = v.member_id AND d.letter_id = v.letter_id AND d.channel = 'post' AND d.state = 'queued'",
        [letter.member_id for letter in letters],
        [letter.letter_id for letter in letters],
        state.value,
        provider_id,
        reason,
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
