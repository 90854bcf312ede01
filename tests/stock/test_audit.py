"""What the proof of stock finds of books that were falsified, and that it finds nothing else."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from backend.kernel import clock, db
from backend.kernel.db import connect_args
from backend.kernel.proofs import Finding
from backend.stock import audit, queries, service
from backend.stock.commands import alerts, documents
from backend.stock.commands.documents import Entry
from backend.stock.types import DocumentKind, DocumentLine, DocumentState, MovementKind, Piece, Receipt, Wish
from tests.support.books import connected


async def with_stock(place: str) -> None:
    """Ten movements of A: received, sold, brought back in part, oversold twice, healed once; and three promised."""
    now = clock.now()
    async with db.transaction() as tx:
        for number, cost in ((1, 1000), (2, 501)):
            receipts = [Receipt(place, "A", 10, cost), Receipt(place, "B", 1, 1)]
            await service.receive(tx, MovementKind.RECEIPT, f"{place}-R{number}", receipts, at=now, staff_id=1)
        pieces = (Piece(place, "A", 7),)
        await service.reserve_many(tx, [Wish(f"{place}-O1", pieces, None)], at=now)
        for return_id in ("X1", "X2"):
            await service.take_back(tx, f"{place}-O1", f"{place}-{return_id}", [Piece(place, "A", 2)], at=now)
        step = service.Step(0, "sell", f"{place}-S1", place, "A", 20, MovementKind.SALE)
        await service.post(tx, [step], at=now)
        receipts = [Receipt(place, "A", 9, 77)]
        await service.receive(tx, MovementKind.RECEIPT, f"{place}-R3", receipts, at=now, staff_id=1)
        wish = Wish(f"{place}-O2", (Piece(place, "A", 3),), now + timedelta(minutes=15))
        assert await service.reserve_many(tx, [wish], at=now) == [None]
        step = service.Step(0, "sell", f"{place}-S2", place, "A", 20, MovementKind.SALE)
        await service.post(tx, [step], at=now)
        await service.take_back(tx, f"{place}-O1", f"{place}-X3", [Piece(place, "A", 2)], at=now)


def of_b(qty: int, unit_fen: int, **more: int) -> list[DocumentLine]:
    return [DocumentLine(line_no=1, sku="B", qty=qty, unit_fen=unit_fen, amount_fen=qty * unit_fen, **more)]


async def with_documents(place: str) -> None:
    """An order of five B that has come; three sent on of which two came; a count that found eight; a slip in draft."""
    now, there = clock.now(), f"{place}-there"

    async def made(kind: DocumentKind, state: DocumentState, lines: list[DocumentLine], **more: Any) -> str:
        entry = Entry(place_id=place, lines=(), other_place_id=more.pop("to", None))
        return await documents.insert(tx, kind, state, entry, lines, 1, now=now, **more)

    async with db.transaction() as tx:
        order = await made(DocumentKind.PURCHASE_ORDER, DocumentState.POSTED, of_b(5, 30, done_qty=0))
        await db.raw(tx).execute("UPDATE stock_document_line SET done_qty = 5 WHERE document_id = $1", order)
        lines = of_b(5, 30, cost_fen=150)
        receipt = await made(DocumentKind.RECEIPT, DocumentState.POSTED, lines, about=order)
        receipts = [Receipt(place, "B", 5, 150)]
        await service.receive(tx, MovementKind.RECEIPT, receipt, receipts, at=now, staff_id=1)
        level = await db.fetch_in(
            tx, "SELECT value_fen, on_hand FROM stock_level WHERE place_id = $1 AND sku = 'B'", place
        )
        cost = level[0][0] * 3 // level[0][1]
        transfer = await made(DocumentKind.TRANSFER, DocumentState.POSTED, of_b(3, 0, cost_fen=cost), to=there)
        await db.raw(tx).execute("UPDATE stock_document_line SET done_qty = 2 WHERE document_id = $1", transfer)
        pieces = [Piece(place, "B", 3)]
        await service.issue(tx, MovementKind.TRANSFER_OUT, transfer, pieces, at=now, staff_id=1)
        receipts = [Receipt(there, "B", 2, cost * 2 // 3)]
        await service.receive(tx, MovementKind.TRANSFER_IN, transfer, receipts, at=now, staff_id=1)
        await made(DocumentKind.WHOLESALE, DocumentState.DRAFT, of_b(1, 99))
        seen = await db.raw(tx).fetchval("SELECT version FROM stock_level WHERE place_id = $1 AND sku = 'B'", place)
        count = await made(DocumentKind.STOCKTAKE, DocumentState.POSTED, of_b(8, 0))
        step = service.Step(0, "count", count, place, "B", 8, MovementKind.STOCKTAKE, seen=seen)
        ((*_, cost),) = (await service.post(tx, [step], at=now)).moved
        await db.raw(tx).execute(
            "UPDATE stock_document_line SET seen = $2, cost_fen = $3, amount_fen = 0 WHERE document_id = $1",
            count,
            seen,
            cost,
        )


LEVEL = "UPDATE stock_level SET {} WHERE place_id = $1 AND sku = 'A'"
MOVEMENT = "UPDATE stock_movement SET {} WHERE place_id = $1 AND sku = 'A' AND version = {}"
TAMPERING: dict[str, tuple[str, ...]] = {
    "level_is_sum: pieces on the shelf": (LEVEL.format("on_hand = on_hand + 1"),),
    "level_is_sum: their value": (LEVEL.format("value_fen = value_fen - 1"),),
    "level_is_sum: a shortage forgotten": (LEVEL.format("short = 0"),),
    "level_is_sum: a version skipped": (LEVEL.format("version = version + 1"),),
    "level_is_sum: no level at all": ("DELETE FROM stock_level WHERE place_id = $1 AND sku = 'A'",),
    "running_level: a movement with other pieces after it": (MOVEMENT.format("on_hand_after = 1", 3),),
    "running_level: a movement with another value after it": (MOVEMENT.format("value_after = 1", 4),),
    "running_level: one numbered elsewhere": (MOVEMENT.format("version = 70", 7),),
    "level_is_sum: one less": ("DELETE FROM stock_movement WHERE place_id = $1 AND sku = 'A' AND version = 7",),
    "reserved_is_promised: more reserved": (LEVEL.format("reserved = 4"),),
    "reserved_is_promised: less promised": ("UPDATE stock_reservation SET qty = 2 WHERE place_id = $1",),
    "reserved_is_promised: promised of what is not kept": (
        "UPDATE stock_reservation SET sku = 'Z' WHERE place_id = $1",
    ),
    "cost_is_average: a sale that cost less": (MOVEMENT.format("cost_fen = cost_fen + 1", 3),),
    "returned_at_cost: a return that brought more": (MOVEMENT.format("cost_fen = cost_fen + 1", 5),),
    "returned_at_cost: more back than went out": (MOVEMENT.format("qty = 9", 5),),
    "returned_at_cost: of what never went out": (MOVEMENT.format("about = $1 || '-R1'", 4),),
}
DOCUMENT = "UPDATE stock_document SET {} WHERE place_id = $1 AND kind = '{}'"
LINE = (
    "UPDATE stock_document_line l SET {} FROM stock_document d"
    " WHERE d.id = l.document_id AND d.place_id = $1 AND d.kind = '{}'"
)
DOCUMENT_TAMPERING: dict[str, tuple[str, ...]] = {
    "documents_moved: a receipt of more": (LINE.format("qty = 6", "receipt"),),
    "documents_moved: posted and nothing moved": (DOCUMENT.format("state = 'posted'", "wholesale"),),
    "documents_moved: moved and not posted": (DOCUMENT.format("state = 'approved'", "receipt"),),
    "documents_moved: more sent than left": (LINE.format("qty = 4", "transfer"),),
    "documents_moved: more came than was put there": (LINE.format("done_qty = 3", "transfer"),),
    "documents_moved: on its way and there": (DOCUMENT.format("state = 'shipped'", "transfer"),),
    "received_of_orders: more has come": (LINE.format("qty = 9, done_qty = 6", "purchase_order"),),
    "received_of_orders: less has come": (LINE.format("done_qty = 4", "purchase_order"),),
    "received_of_orders: more than was ordered": (LINE.format("qty = 4", "purchase_order"),),
    "received_of_orders: a receipt of no order": (DOCUMENT.format("about = NULL", "receipt"),),
    "counted_is_there: another number was found": (LINE.format("qty = 9", "stocktake"),),
    "counted_is_there: found at another moment": (LINE.format("seen = seen - 1", "stocktake"),),
    "counted_is_there: moved and not posted": (DOCUMENT.format("state = 'approved'", "stocktake"),),
    "documents_cost: an amount that is not its price": (LINE.format("amount_fen = 151", "receipt"),),
    "documents_cost: a cost that did not move": (LINE.format("cost_fen = cost_fen + 1", "transfer"),),
    "documents_cost: a total that is not the sum": (DOCUMENT.format("total_fen = 1", "receipt"),),
    "documents_cost: a price that was not paid": (LINE.format("unit_fen = 31, amount_fen = 155", "receipt"),),
    "documents_cost: what came cost more": (
        "UPDATE stock_movement SET cost_fen = cost_fen + 1 WHERE place_id = $1 || '-there'",
    ),
}


async def found(settings) -> list[Finding]:
    return await audit.PROOF.run(connect_args(settings.migrate_database_url))


@pytest.fixture(scope="module")
def bystander() -> str:
    return "bystander"


async def test_honest_books_have_no_findings(settings, place, bystander):
    await with_stock(place)
    await with_stock(bystander)
    await with_documents(place)
    await with_documents(bystander)

    assert await found(settings) == []


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds(settings, place, what):
    await with_stock(place)

    async with connected(settings, "postgres") as postgres:
        await postgres.execute("SET session_replication_role = replica")
        for statement in TAMPERING[what]:
            assert await postgres.fetch(f"{statement} RETURNING 1", place)

    findings = await found(settings)
    assert what.partition(":")[0] in {one.check for one in findings if one.what.startswith(f"{place} ")}
    assert not [one for one in findings if one.what.startswith("bystander ")]


@pytest.mark.parametrize("what", DOCUMENT_TAMPERING)
async def test_the_audit_finds_what_documents_hide(settings, place, what):
    await with_stock(place)
    await with_documents(place)
    before = [one for one in await found(settings) if one.what.startswith(place)]

    async with connected(settings, "postgres") as postgres:
        await postgres.execute("SET session_replication_role = replica")
        for statement in DOCUMENT_TAMPERING[what]:
            assert await postgres.fetch(f"{statement} RETURNING 1", place)

    after = [one for one in await found(settings) if one.what.startswith(place)]
    assert before == []
    assert what.partition(":")[0] in {one.check for one in after}


def test_every_check_is_lied_to():
    lied_to = {what.partition(":")[0] for what in (*TAMPERING, *DOCUMENT_TAMPERING)}

    assert lied_to | {audit.PROMISED_TO_OPEN.name} == {check.name for check in audit.checks()}


async def test_a_promise_to_an_order_that_ended_is_found(settings, place, monkeypatch):
    await with_stock(place)
    asked = []

    async def find_open(_, order_ids):
        asked.extend(order_ids)
        return {order_id for order_id in order_ids if order_id != f"{place}-O2"}

    monkeypatch.setattr(queries, "_open_orders", {})
    queries.know_orders_by(find_open)

    findings = [one for one in await found(settings) if one.check == "promised_to_open"]
    assert findings == [Finding("promised_to_open", 0, f"order {place}-O2 is not open")]
    assert len(asked) == len(set(asked)) >= 1
    assert await alerts.report_overdue() == []
    monkeypatch.setattr(queries, "list_lost_promises", partial(_an_hour_later, queries.list_lost_promises))
    assert await alerts.report_overdue() == [f"{place}-O2"]


async def _an_hour_later(ask, now, limit):
    return await ask(now + timedelta(hours=1), limit)


async def test_many_levels_are_proved_chunk_by_chunk(settings, place, monkeypatch):
    await with_stock(place)
    monkeypatch.setattr(audit, "CHUNK", 1)
    by_one = await found(settings)

    monkeypatch.setattr(audit, "CHUNK", 2000)

    assert sorted(by_one, key=repr) == sorted(await found(settings), key=repr) != []
