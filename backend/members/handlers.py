"""Levels follow from sales: what a member spent makes growth, what was given back takes it away."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from . import service
from .events import LevelReached


@events.on(SaleCompleted)
async def grow(event: SaleCompleted, tx: Tx) -> None:
    """Add what was spent to the member's growth; what coupons paid is not."""
    reached = await service.add_growth(tx, event.member_id, event.sale_id, event.spent_fen)
    if reached is not None:
        await events.publish(tx, LevelReached(member_id=event.member_id, level=reached))


@events.on(SaleRefunded)
async def shrink(event: SaleRefunded, tx: Tx) -> None:
    """Take what was refunded off the member's growth."""
    await service.add_growth(tx, event.member_id, event.refund_id, -event.spent_fen)
