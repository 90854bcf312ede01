"""What documents move: through the door, in the transaction in which they are posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from backend.auth.types import StaffCaller
from backend.kernel import db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid

from .. import queries, rules, service
from ..errors import TooMuchReceived
from ..service import Step
from ..types import Document, DocumentKind, DocumentLine, DocumentState, Moved, MovementKind, Piece, Receipt
from . import documents
from .documents import Entry, changing, turn

_OUT = {DocumentKind.PURCHASE_RETURN: MovementKind.PURCHASE_RETURN, DocumentKind.WHOLESALE: MovementKind.WHOLESALE}


async def post(document_id: str, caller: StaffCaller, *, version: int) -> Document:
    """Move what an approved document says, all of it; ``OutOfStock`` where goods that are to leave are not there."""
    async with changing(document_id, "post", caller, version=version) as (tx, document, now):
        if document.kind is DocumentKind.RECEIPT:
            receipts = [Receipt(document.place_id, line.sku, line.qty, line.amount_fen) for line in document.lines]
            moved = await service.receive(
                tx, MovementKind.RECEIPT, document_id, receipts, at=now, staff_id=caller.staff_id
            )
        elif document.kind is DocumentKind.STOCKTAKE:
            moved = await _count(tx, document, caller, now)
        else:
            pieces = [Piece(document.place_id, line.sku, line.qty) for line in document.lines]
            moved = await service.issue(tx, _OUT[document.kind], document_id, pieces, at=now, staff_id=caller.staff_id)
        await _keep_costs(tx, document_id, moved)
        await turn(tx, document_id, DocumentState.POSTED, now=now)
    queries.forget_places()
    return await queries.get_document(document_id)


async def _count(tx: Tx, document: Document, caller: StaffCaller, now: datetime) -> list[Moved]:
    """Make the books what was counted, with what moved since; shortages that were counted are settled."""
    steps = [
        Step(
            0,
            "count",
            document.id,
            document.place_id,
            line.sku,
            line.qty,
            MovementKind.STOCKTAKE,
            cost=line.unit_fen,
            staff=caller.staff_id,
            seen=line.seen,
        )
        for line in document.lines
    ]
    return [Moved(*moved[1:]) for moved in (await service.post(tx, steps, at=now)).moved]


async def _keep_costs(tx: Tx, document_id: str, moved: Sequence[Moved]) -> None:
    await db.raw(tx).execute(
        "UPDATE stock_document_line l SET cost_fen = w.cost FROM unnest($2::text[], $3::bigint[]) AS w (sku, cost)"
        " WHERE l.document_id = $1 AND l.sku = w.sku",
        document_id,
        [one.sku for one in moved],
        [abs(one.cost_fen) for one in moved],
    )


async def _add_done(tx: Tx, document_id: str, done: Mapping[int, int]) -> None:
    await db.raw(tx).execute(
        "UPDATE stock_document_line l SET done_qty = done_qty + w.qty"
        "  FROM unnest($2::int[], $3::bigint[]) AS w (n, qty) WHERE l.document_id = $1 AND l.line_no = w.n",
        document_id,
        list(done),
        list(done.values()),
    )


async def receive_order(
    document_id: str, came: Mapping[int, int], caller: StaffCaller, *, version: int, text: str = ""
) -> Document:
    """Take in what has come of a purchase order, by line, at the order's prices; returns the receipt, which is posted.

    Once all has come the order is posted, too.
    """
    async with changing(document_id, "receive", caller, version=version, text=text) as (tx, order, now):
        lines = _coming(order, came)
        entry = Entry(place_id=order.place_id, lines=(), supplier_id=order.supplier_id, note=text)
        received = [
            DocumentLine(
                line_no=place,
                sku=line.sku,
                qty=came[line.line_no],
                unit_fen=line.unit_fen,
                amount_fen=came[line.line_no] * line.unit_fen,
                cost_fen=came[line.line_no] * line.unit_fen,
            )
            for place, line in enumerate(lines, 1)
        ]
        receipt_id = await documents.insert(
            tx,
            DocumentKind.RECEIPT,
            DocumentState.POSTED,
            entry,
            received,
            caller.staff_id,
            now=now,
            about=document_id,
        )
        await turn(tx, receipt_id, DocumentState.POSTED, now=now)
        receipts = [Receipt(order.place_id, line.sku, line.qty, line.amount_fen) for line in received]
        await service.receive(tx, MovementKind.RECEIPT, receipt_id, receipts, at=now, staff_id=caller.staff_id)
        await _add_done(tx, document_id, came)
        if all(line.done_qty + came.get(line.line_no, 0) == line.qty for line in order.lines):
            await turn(tx, document_id, DocumentState.POSTED, now=now)
    queries.forget_places()
    return await queries.get_document(receipt_id)


def _coming(document: Document, came: Mapping[int, int]) -> list[DocumentLine]:
    """The lines of which some has come, none of them more than it still lacks."""
    known = {line.line_no: line for line in document.lines}
    for line_no, qty in came.items():
        if line_no not in known:
            raise invalid("/lines", f"there is no line {line_no}")
        if known[line_no].done_qty + qty > known[line_no].qty:
            raise TooMuchReceived(extra={"line_no": line_no, "open": known[line_no].qty - known[line_no].done_qty})
    return [known[line_no] for line_no in sorted(came)]


async def ship(document_id: str, caller: StaffCaller, *, version: int) -> Document:
    """Send a transfer on its way: what it cost travels with it, and lies at no place meanwhile."""
    async with changing(document_id, "ship", caller, version=version) as (tx, document, now):
        pieces = [Piece(document.place_id, line.sku, line.qty) for line in document.lines]
        moved = await service.issue(
            tx, MovementKind.TRANSFER_OUT, document_id, pieces, at=now, staff_id=caller.staff_id
        )
        await _keep_costs(tx, document_id, moved)
        await turn(tx, document_id, DocumentState.SHIPPED)
    return await queries.get_document(document_id)


async def receive_transfer(
    document_id: str, came: Mapping[int, int], caller: StaffCaller, *, version: int, text: str = ""
) -> Document:
    """Take in a transfer, once; what of it did not come is lost, with its part of the cost.

    ``came`` says it of every line, so that nothing is lost by being left out. What came is there at once. A loss above
    the setting's amount waits (``submitted``) until somebody approves it.
    """
    async with changing(document_id, "receive", caller, version=version, text=text) as (tx, document, now):
        assert document.other_place_id is not None
        if came.keys() != {line.line_no for line in document.lines}:
            raise invalid("/lines", "of a transfer every line is named, with 0 where nothing of it came")
        receipts = [
            Receipt(document.other_place_id, line.sku, came[line.line_no], rules.came_fen(line, came[line.line_no]))
            for line in _coming(document, came)
            if came[line.line_no]
        ]
        await service.receive(tx, MovementKind.TRANSFER_IN, document_id, receipts, at=now, staff_id=caller.staff_id)
        await _add_done(tx, document_id, came)
        lines = tuple(replace(line, done_qty=came.get(line.line_no, 0)) for line in document.lines)
        if rules.lost_fen(replace(document, lines=lines)) > settings().stock_approval_fen:
            await turn(tx, document_id, DocumentState.SUBMITTED)
        else:
            await turn(tx, document_id, DocumentState.POSTED, now=now)
    queries.forget_places()
    return await queries.get_document(document_id)
