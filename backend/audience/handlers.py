"""What is sold and given back, at tills and in the mall, is noted; a job counts it from the sale's document."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import service


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """Somebody bought something."""
    await service.note(tx, event.member_id, event.sale_id)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """Some of it came back: its document says what is left."""
    await service.note(tx, event.member_id, event.sale_id)
