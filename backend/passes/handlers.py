"""What concerns the rows of passes, and what a recharge earns."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged

from .commands import cards, earning
from .events import PassEnded, PassIssued, PassReopened


@events.on(PassIssued)
async def note_issue(event: PassIssued, tx: Tx) -> None:
    """Write its row."""
    await cards.note_issue(tx, event)


@events.on(PassEnded)
async def note_end(event: PassEnded, tx: Tx) -> None:
    """Show how it ended."""
    await cards.note_end(tx, event)


@events.on(PassReopened)
async def note_reopening(event: PassReopened, tx: Tx) -> None:
    """Show it as living again."""
    await cards.note_reopening(tx, event)


@events.on(Recharged)
async def reward_recharge(event: Recharged, tx: Tx) -> None:
    """A recharge earns what is given for one of its size."""
    await earning.note_earned(tx, event.member_id, event.recharge_id, event.pay_fen)
