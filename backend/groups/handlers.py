"""What sub-members buy counts for their group."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import AccrualPosted, SaleCompleted, SaleRefunded

from . import service


@events.on(SaleCompleted)
async def count(event: SaleCompleted, tx: Tx) -> None:
    """Count what was spent; what coupons paid is not."""
    await service.note_purchase(tx, event.member_id, event.sale_id, event.spent_fen)


@events.on(AccrualPosted)
async def count_offline(event: AccrualPosted, tx: Tx) -> None:
    """Count what was bought while a till was offline."""
    await service.note_accrual(tx, event.member_id, event.accrual_id)


@events.on(SaleRefunded)
async def take_off(event: SaleRefunded, tx: Tx) -> None:
    """Take off what came back."""
    await service.note_return(tx, event.member_id, event.sale_id, event.refund_id, event.spent_fen)
