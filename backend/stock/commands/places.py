"""Warehouses."""

from __future__ import annotations

import asyncpg

from backend.auth import queries as auth
from backend.kernel import clock, db, logging
from backend.kernel.errors import invalid

from .. import queries
from ..types import Place

log = logging.get(__name__)


async def create_warehouse(place_id: str, name: str, store_id: str | None, staff_id: int) -> Place:
    """Add a warehouse; its id is no store's and no other's."""
    if store_id is not None:
        await auth.get_store(store_id)
    if await auth.find_store(place_id) is not None:
        raise invalid("/id", "a store is called so")
    try:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO stock_warehouse (id, name, store_id, active, created_at) VALUES ($1, $2, $3, true, $4)",
                place_id,
                name,
                store_id,
                clock.now(),
            )
    except asyncpg.UniqueViolationError:
        raise invalid("/id", "a warehouse is called so already") from None
    log.info("stock.warehouse_created", place_id=place_id, staff_id=staff_id)
    return await queries.get_place(place_id)
