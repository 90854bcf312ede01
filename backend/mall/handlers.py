"""What is sold and given back is noted, so that products can be ranked by it; a job counts it."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import service


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """Sold at a till or in the mall."""
    await service.note_sold(tx, event.member_id, event.sale_id, "")


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """Part or all of it came back."""
    await service.note_sold(tx, event.member_id, event.sale_id, event.refund_id)
