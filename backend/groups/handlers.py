"""What sub-members buy counts for their group."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import AccrualPosted, SaleCompleted, SaleRefunded
from backend.members import service as members

from . import letters, service  # noqa: F401 - its letters
from .commands import batches  # noqa: F401 - the kind of approvals


@events.on(SaleCompleted)
async def count(event: SaleCompleted, tx: Tx) -> None:
    """Count what was spent; what coupons paid is not."""
    member_id = await members.hold_current(tx, event.member_id)
    await service.note_purchase(tx, member_id, event.sale_id, event.spent_fen)


@events.on(AccrualPosted)
async def count_offline(event: AccrualPosted, tx: Tx) -> None:
    """Count what was bought while a till was offline."""
    member_id = await members.hold_current(tx, event.member_id)
    await service.note_accrual(tx, member_id, event.accrual_id)


@events.on(SaleRefunded)
async def take_off(event: SaleRefunded, tx: Tx) -> None:
    """Take off what came back."""
    member_id = await members.hold_current(tx, event.member_id)
    await service.note_return(tx, member_id, event.sale_id, event.refund_id, event.spent_fen)
