"""What tills do is noted; entries are made of it by a job, and before anybody looks at a till."""

from __future__ import annotations

from backend.giftcards.events import GiftCardSold
from backend.gifts.events import GiftPickedUp
from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged, RechargeReversed, SaleCompleted, SaleRefunded
from backend.membercards.events import MemberCardPaid
from backend.pos import service as pos

from .commands import (
    counting,
    owning,
    staff,  # noqa: F401 - what a second person decides
)
from .types import EntryKind

pos.shifts_decide(owning.in_its_shift)


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """A till sold something."""
    await counting.note(tx, event.sale_id, EntryKind.SALE, event.store_id)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """A till gave something back."""
    await counting.note(tx, event.refund_id, EntryKind.REFUND, None)


@events.on(Recharged)
async def note_recharge(event: Recharged, tx: Tx) -> None:
    """A till took money for stored value; what WeChat took is no till's."""
    if event.store_id is not None:
        await counting.note(tx, event.recharge_id, EntryKind.RECHARGE, event.store_id)


@events.on(RechargeReversed)
async def note_reversal(event: RechargeReversed, tx: Tx) -> None:
    """A till gave it back."""
    await counting.note(tx, event.reversal_id, EntryKind.RECHARGE_REVERSAL, event.store_id)


@events.on(GiftCardSold)
async def note_gift_card(event: GiftCardSold, tx: Tx) -> None:
    """A till sold a gift card, or took that back."""
    kind = EntryKind.GIFT_CARD_UNDONE if event.undone else EntryKind.GIFT_CARD
    await counting.note(tx, counting.source_of(event.activation_id, kind), kind, event.store_id)


@events.on(GiftPickedUp)
async def note_gift(event: GiftPickedUp, tx: Tx) -> None:
    """A till handed a gift over."""
    await counting.note(tx, event.redemption_id, EntryKind.GIFT, event.store_id)


@events.on(MemberCardPaid)
async def note_member_card(event: MemberCardPaid, tx: Tx) -> None:
    """A till took a deposit or a fee for a member card, or gave the deposit back."""
    kind = EntryKind.MEMBER_CARD_BACK if event.back else EntryKind.MEMBER_CARD
    await counting.note(tx, event.document_id, kind, event.store_id)
