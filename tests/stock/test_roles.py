"""Who may touch the books of stock: the application only through the door, and history nobody."""

from __future__ import annotations

import asyncpg
import pytest

from backend.kernel import clock, db
from backend.stock import service
from backend.stock.types import MovementKind, Receipt
from tests.support.books import connected, fingerprint

TAKE = '{"unit": 0, "act": "take", "place": "P", "sku": "A", "qty": 1, "kind": "sale", "doc": "%s"}'
BOOKS = ("stock_level", "stock_movement", "stock_reservation")


async def test_the_application_writes_no_book_of_stock(settings, place):
    async with db.transaction() as tx:
        await service.receive(
            tx, MovementKind.RECEIPT, f"{place}-R", [Receipt(place, "A", 3, 100)], at=clock.now(), staff_id=None
        )
    before = await fingerprint(settings)
    async with connected(settings, "huiyuan_app") as app:
        for table in BOOKS:
            for statement in (
                f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1",
                f"UPDATE {table} SET sku = sku",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"SELECT 1 FROM {table} FOR UPDATE",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(statement)

    assert await fingerprint(settings) == before


@pytest.mark.parametrize("role", ["huiyuan_owner", "postgres"])
async def test_a_movement_is_never_rewritten(settings, role):
    async with connected(settings, role) as connection:
        for statement in ("UPDATE stock_movement SET qty = 1", "DELETE FROM stock_movement", "TRUNCATE stock_movement"):
            with pytest.raises(asyncpg.RestrictViolationError, match="history is immutable"):
                await connection.execute(statement)


async def test_the_application_calls_the_door_and_nobody_else_may(settings):
    async with connected(settings, "huiyuan_app") as app:
        rows = await app.fetch(
            "SELECT proname, has_function_privilege('public', oid, 'EXECUTE') AS everybody FROM pg_proc"
            " WHERE proname LIKE 'stock\\_%' AND prosecdef AND has_function_privilege('huiyuan_app', oid, 'EXECUTE')"
        )

    assert sorted(tuple(row) for row in rows) == [("stock_post", False), ("stock_set_low", False)]


@pytest.mark.parametrize(
    "steps",
    [
        '[{"unit": 0, "act": "give", "place": "P", "sku": "A", "qty": 1, "kind": "sale", "doc": "D"}]',
        '[{"unit": 0, "act": "put", "place": "P", "sku": "A", "qty": 0, "kind": "receipt", "doc": "D", "cost": 1}]',
        '[{"unit": 0, "act": "put", "place": "P", "sku": "A", "qty": -1, "kind": "receipt", "doc": "D", "cost": 1}]',
        '[{"unit": 0, "act": "put", "place": "P", "sku": "A", "qty": 1, "kind": "receipt", "doc": "D", "cost": -1}]',
        '[{"unit": 0, "act": "put", "place": "P", "sku": "A", "kind": "receipt", "doc": "D", "cost": 1}]',
        '[{"unit": 0, "act": "put", "place": "P", "qty": 1, "kind": "receipt", "doc": "D", "cost": 1}]',
        '[{"unit": 0, "act": "put", "place": "P", "sku": "A", "qty": 1, "kind": "receipt", "cost": 1}]',
        f"[{TAKE % 'D'}, {TAKE % 'E'}]",
        '[{"unit": 0, "act": "take", "place": "P", "sku": "A", "qty": 1, "kind": "sale", "doc": "D", "cost": 5}]',
        '[{"unit": 0, "act": "count", "place": "P", "sku": "A", "qty": 1, "kind": "stocktake", "doc": "D"}]',
    ],
)
async def test_a_step_of_no_known_shape_is_refused_by_the_door_itself(settings, steps):
    before = await fingerprint(settings)
    async with connected(settings, "huiyuan_app") as app:
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await app.fetchval(service.POST, clock.now(), steps)

    assert await fingerprint(settings) == before
