"""What the proof of stock finds of books that were falsified, and that it finds nothing else."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from backend.kernel import clock, db
from backend.kernel.db import connect_args
from backend.stock import audit, queries, service
from backend.stock.commands import alerts
from backend.stock.types import MovementKind, Piece, Receipt, Wish
from tests.support.books import connected


async def with_stock(place: str) -> None:
    """Seven movements of A: received, sold, brought back in part, oversold by a till; and three pieces promised."""
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


async def found(settings) -> list[audit.Finding]:
    return await audit.audit(connect_args(settings.migrate_database_url))


@pytest.fixture(scope="module")
def bystander() -> str:
    return "bystander"


async def test_honest_books_have_no_findings(settings, place, bystander):
    await with_stock(place)
    await with_stock(bystander)

    assert await found(settings) == []


@pytest.mark.parametrize("what", TAMPERING)
async def test_the_audit_finds(settings, place, what):
    await with_stock(place)

    async with connected(settings, "postgres") as postgres:
        await postgres.execute("SET session_replication_role = replica")
        for statement in TAMPERING[what]:
            assert await postgres.fetch(f"{statement} RETURNING 1", place)

    findings = await found(settings)
    assert what.partition(":")[0] in {one.check for one in findings if one.place_id == place}
    assert not [one for one in findings if one.place_id == "bystander"]


async def test_a_promise_to_an_order_that_ended_is_found(settings, place, monkeypatch):
    await with_stock(place)
    asked = []

    async def find_open(_, order_ids):
        asked.extend(order_ids)
        return {order_id for order_id in order_ids if order_id != f"{place}-O2"}

    monkeypatch.setattr(queries, "_open_orders", None)
    queries.know_orders_by(find_open)

    findings = [one for one in await found(settings) if one.check == "promised_to_open"]
    assert findings == [audit.Finding("promised_to_open", "", "", f"order {place}-O2 is not open")]
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
