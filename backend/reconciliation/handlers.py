"""What is recharged, bought and given back is noted; jobs count it."""

from __future__ import annotations

from backend.gifts.events import GiftMoneyMoved
from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged, SaleCompleted, SaleRefunded
from backend.membercards.events import MemberCardPaid

from .commands import (
    clearing,
    settling,  # noqa: F401 - what a second person decides
)


@events.on(Recharged)
async def note_recharge(event: Recharged, tx: Tx) -> None:
    """Whose customer recharged."""
    await clearing.note_recharge(tx, event.member_id, event.recharge_id, at=event.store_id)


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """Somebody bought something, perhaps with stored value."""
    await clearing.note(tx, event.member_id, event.sale_id)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """Some of it came back, perhaps to stored value."""
    await clearing.note(tx, event.member_id, event.refund_id)


@events.on(GiftMoneyMoved)
async def note_gift(event: GiftMoneyMoved, tx: Tx) -> None:
    """Stored value paid for a gift, or came back."""
    await clearing.note(tx, event.member_id, event.redemption_id)


@events.on(MemberCardPaid)
async def note_member_card(event: MemberCardPaid, tx: Tx) -> None:
    """A store gave a deposit back, which another one may have taken."""
    if event.back:
        await clearing.note(tx, event.member_id, event.document_id)
