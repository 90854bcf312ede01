"""What tills sell and take back moves stock: it is noted, and a job moves it, so that no sale waits for a shelf.

What ran low is put before staff.
"""

from __future__ import annotations

from backend.kernel import clock, events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import queries, service
from .events import StockRanLow
from .types import AlertKind


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """What was sold left the shelf, where stock is kept there at all."""
    if event.store_id in await queries.places_with_stock():
        await service.note_due(tx, event.member_id, event.sale_id, "")


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """What was given back came back, where stock is kept anywhere."""
    if await queries.places_with_stock():
        await service.note_due(tx, event.member_id, event.sale_id, event.refund_id)


@events.on(StockRanLow)
async def tell_staff(event: StockRanLow, tx: Tx) -> None:
    """Somebody should order it, or have it sent from elsewhere."""
    await service.alert(tx, AlertKind.LOW, {(event.place_id, event.sku): event.on_hand}, at=clock.now())
