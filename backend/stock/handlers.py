"""What tills sell and take back moves stock: it is noted, and a job moves it, so that no sale waits for a shelf."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import queries, service


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
