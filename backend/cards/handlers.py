"""What happens to one kind of card that another hears of: they stand beside each other and know nothing of it."""

from __future__ import annotations

from backend.giftcards.events import GiftCardBound
from backend.kernel import events
from backend.kernel.db import Tx
from backend.stamps import service as stamps
from backend.stamps.types import TaskOn


@events.on(GiftCardBound)
async def note_gift_card(event: GiftCardBound, tx: Tx) -> None:
    """Binding a gift card ticks off what asks for it."""
    await stamps.note_done(tx, event.member_id, TaskOn.GIFT_CARD)
