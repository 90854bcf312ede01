"""Levels follow from sales: what a member bought makes growth, what was given back takes it away."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import service


@events.on(SaleCompleted)
async def grow(event: SaleCompleted, tx: Tx) -> None:
    """Add the sale to the member's growth."""
    await service.add_growth(tx, event.member_id, event.sale_id, event.payable_fen)


@events.on(SaleRefunded)
async def shrink(event: SaleRefunded, tx: Tx) -> None:
    """Take what was refunded off the member's growth."""
    await service.add_growth(tx, event.member_id, event.refund_id, -event.refund_fen)
