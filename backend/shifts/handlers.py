"""What tills do is noted; entries are made of it by a job, and before anybody looks at a till."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted, SaleRefunded

from .commands import (
    counting,
    staff,  # noqa: F401 - what a second person decides
)
from .types import EntryKind


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """A till sold something."""
    await counting.note(tx, event.sale_id, EntryKind.SALE, event.store_id)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """A till gave something back."""
    await counting.note(tx, event.refund_id, EntryKind.REFUND, None)
