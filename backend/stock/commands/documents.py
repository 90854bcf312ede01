"""Documents of stock: entered, approved, called off. What they move is moved in ``posting``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.http import Idempotency
from backend.kernel.money import MAX_AMOUNT
from backend.ledger.errors import IdempotencyConflict
from backend.mall import queries as mall

from .. import queries, rules
from ..errors import DocumentMoved, NotCounted
from ..types import Document, DocumentKind, DocumentLine, DocumentState

log = logging.get(__name__)

_INSERT = """
INSERT INTO stock_document (id, number, kind, state, place_id, other_place_id, supplier_id, customer, about, total_fen,
    note, made_on, created_by, created_at, key, key_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"""
_INSERT_LINES = """
INSERT INTO stock_document_line (document_id, line_no, sku, qty, unit_fen, amount_fen, cost_fen)
SELECT $1, n, sku, qty, unit_fen, amount_fen, cost_fen
  FROM unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS l (n, sku, qty, unit_fen, amount_fen, cost_fen)"""
_NUMBER = """
INSERT INTO stock_number AS n (place_id, kind, year, last) VALUES ($1, $2, $3, 1)
    ON CONFLICT (place_id, kind, year) DO UPDATE SET last = n.last + 1 RETURNING last"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody enters; ``lines`` are ``(SKU, qty, fen a piece)``."""

    place_id: str
    lines: Sequence[tuple[str, int, int]]
    other_place_id: str | None = None
    supplier_id: str | None = None
    customer: str = ""
    note: str = ""


async def enter(
    kind: DocumentKind, entry: Entry, caller: StaffCaller, once: Idempotency | None = None
) -> tuple[Document, bool]:
    """Enter a document as a draft, once per key; its number is the next of its kind, place and year.

    Returns it, and whether it was there already: it is as it stands now. ``IdempotencyConflict`` where the key was
    used for another.
    """
    lines = await check_lines(entry)
    now = clock.now()
    try:
        async with db.transaction() as tx:
            document_id = await insert(tx, kind, DocumentState.DRAFT, entry, lines, caller.staff_id, now=now, once=once)
    except asyncpg.UniqueViolationError as error:
        if once is None or error.constraint_name != "stock_document_key":
            raise
        known = await db.fetchrow(
            "SELECT id, key_hash FROM stock_document WHERE key = $1", _own(once.key, caller.staff_id)
        )
        if known is None or known["key_hash"] != once.request_hash:
            raise IdempotencyConflict from None
        return await queries.get_document(known["id"]), True
    log.info("stock.document_entered", document_id=document_id, kind=kind, staff_id=caller.staff_id)
    return await queries.get_document(document_id), False


def _own(key: str, staff_id: int) -> str:
    return f"{staff_id}/{key}"


async def check_lines(entry: Entry) -> list[DocumentLine]:
    """The lines with their amounts; ``ValidationFailed`` where the catalogue knows not, or amounts are too large."""
    if entry.supplier_id is not None and not await mall.find_supplier_names([entry.supplier_id]):
        raise invalid("/supplier_id", "there is no such supplier")
    known = await mall.find_article_names(sku for sku, _, _ in entry.lines)
    lines: list[DocumentLine] = []
    for position, (sku, qty, unit_fen) in enumerate(entry.lines):
        if sku not in known:
            raise invalid(f"/lines/{position}/sku", "there is no such article")
        if any(line.sku == sku for line in lines):
            raise invalid(f"/lines/{position}/sku", "this article has a line already")
        if qty * unit_fen > MAX_AMOUNT:
            raise invalid(f"/lines/{position}", "the amount is too large")
        lines.append(DocumentLine(line_no=position + 1, sku=sku, qty=qty, unit_fen=unit_fen, amount_fen=qty * unit_fen))
    return lines


async def insert(
    tx: Tx,
    kind: DocumentKind,
    state: DocumentState,
    entry: Entry,
    lines: Sequence[DocumentLine],
    staff_id: int,
    *,
    now: datetime,
    about: str | None = None,
    once: Idempotency | None = None,
) -> str:
    """Write a document with the next number, which a key that was used rolls back; returns its id."""
    made_on = clock.local_date(now, settings().timezone)
    count = await db.raw(tx).fetchval(_NUMBER, entry.place_id, kind, made_on.year)
    document_id = ids.new_short("Z")
    await db.raw(tx).execute(
        _INSERT,
        document_id,
        rules.number(kind, entry.place_id, made_on.year, count),
        kind,
        state,
        entry.place_id,
        entry.other_place_id,
        entry.supplier_id,
        entry.customer,
        about,
        rules.amount_fen(kind, tuple(lines)),
        entry.note,
        made_on,
        staff_id,
        now,
        _own(once.key, staff_id) if once else None,
        once.request_hash if once else None,
    )
    await insert_lines(tx, document_id, lines)
    await note(tx, document_id, 1, staff_id, "enter", now=now)
    return document_id


async def insert_lines(tx: Tx, document_id: str, lines: Sequence[DocumentLine]) -> None:
    """Write the lines of a document that has none."""
    columns = ("line_no", "sku", "qty", "unit_fen", "amount_fen", "cost_fen")
    await db.raw(tx).execute(
        _INSERT_LINES, document_id, *([getattr(line, column) for line in lines] for column in columns)
    )


async def note(
    tx: Tx, document_id: str, version: int, staff_id: int, action: str, text: str = "", *, now: datetime
) -> None:
    """Write down who did what; never rewritten."""
    await db.raw(tx).execute(
        "INSERT INTO stock_document_change (document_id, version, at, staff_id, action, note)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        document_id,
        version,
        now,
        staff_id,
        action,
        text,
    )


@asynccontextmanager
async def changing(
    document_id: str, action: str, caller: StaffCaller, *, version: int | None = None, text: str = ""
) -> AsyncIterator[tuple[Tx, Document, datetime]]:
    """A document under lock, in a state for that action, and the instant; afterwards its version is one more.

    Raises ``DocumentMoved`` where it is not at the ``version`` that the caller saw.
    """
    now = clock.now()
    async with db.transaction() as tx:
        document = await queries.read_document(tx, document_id)
        if version is not None and version != document.version:
            raise DocumentMoved
        rules.check(document, action)
        await note(tx, document_id, document.version + 1, caller.staff_id, action, text, now=now)
        await db.raw(tx).execute("UPDATE stock_document SET version = version + 1 WHERE id = $1", document_id)
        yield tx, document, now
    log.info("stock.document_changed", document_id=document_id, action=action, staff_id=caller.staff_id)


async def turn(tx: Tx, document_id: str, state: DocumentState, *, now: datetime | None = None) -> None:
    """Put a locked document into a state; posted at that instant, where one is given."""
    await db.raw(tx).execute(
        "UPDATE stock_document SET state = $2, posted_at = coalesce($3, posted_at) WHERE id = $1",
        document_id,
        state,
        now,
    )


async def edit(document_id: str, entry: Entry, caller: StaffCaller, *, version: int) -> Document:
    """Write a draft anew; its kind, place and number stay."""
    lines = await check_lines(entry)
    async with changing(document_id, "edit", caller, version=version) as (tx, document, _):
        await db.raw(tx).execute("DELETE FROM stock_document_line WHERE document_id = $1", document_id)
        await insert_lines(tx, document_id, lines)
        await db.raw(tx).execute(
            "UPDATE stock_document SET supplier_id = $2, customer = $3, note = $4, total_fen = $5 WHERE id = $1",
            document_id,
            entry.supplier_id,
            entry.customer,
            entry.note,
            rules.amount_fen(document.kind, tuple(lines)),
        )
    return await queries.get_document(document_id)


async def submit(document_id: str, caller: StaffCaller, *, version: int) -> Document:
    """Let a draft be approved; of a count every line must have been counted."""
    async with changing(document_id, "submit", caller, version=version) as (tx, document, _):
        if document.kind is DocumentKind.STOCKTAKE:
            if any(line.seen is None for line in document.lines):
                raise NotCounted
            total = rules.amount_fen(document.kind, document.lines)
            await db.raw(tx).execute("UPDATE stock_document SET total_fen = $2 WHERE id = $1", document_id, total)
        await turn(tx, document_id, DocumentState.SUBMITTED)
    return await queries.get_document(document_id)


async def approve(document_id: str, caller: StaffCaller, *, version: int) -> Document:
    """Approve what was submitted; above the setting's amount a second person of head office does.

    Of a transfer that is what did not come of it: the transfer is posted by that.
    """
    async with changing(document_id, "approve", caller, version=version) as (tx, document, now):
        writers = await queries.writers(tx, document_id)
        leaving_fen = await queries.leaving_fen(tx, document)
        rules.check_approver(document, caller, settings().stock_approval_fen, writers, leaving_fen=leaving_fen)
        await db.raw(tx).execute(
            "UPDATE stock_document SET approved_by = $2 WHERE id = $1", document_id, caller.staff_id
        )
        if document.kind is DocumentKind.TRANSFER:
            await turn(tx, document_id, DocumentState.POSTED, now=now)
        else:
            await turn(tx, document_id, DocumentState.APPROVED)
    return await queries.get_document(document_id)


async def reject(document_id: str, reason: str, caller: StaffCaller, *, version: int) -> Document:
    """Make a draft again of what was submitted."""
    async with changing(document_id, "reject", caller, version=version, text=reason) as (tx, _, _):
        await turn(tx, document_id, DocumentState.DRAFT)
    return await queries.get_document(document_id)


async def cancel(document_id: str, reason: str, caller: StaffCaller, *, version: int) -> Document:
    """Call off what has moved nothing; its number stays its own."""
    async with changing(document_id, "cancel", caller, version=version, text=reason) as (tx, _, _):
        await turn(tx, document_id, DocumentState.CANCELLED)
    return await queries.get_document(document_id)


async def close(document_id: str, reason: str, caller: StaffCaller, *, version: int) -> Document:
    """Expect nothing more of a purchase order."""
    async with changing(document_id, "close", caller, version=version, text=reason) as (tx, _, _):
        await turn(tx, document_id, DocumentState.CLOSED)
    return await queries.get_document(document_id)
