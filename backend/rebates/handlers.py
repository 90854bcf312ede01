"""Rebates follow from purchases and what comes back of them; members hear of what is paid. Importing registers it."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import AccrualPosted, SaleCompleted, SaleRefunded
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from . import service
from .commands import expiring, runs  # noqa: F401 - their template and kind of approval
from .events import RebatePaid
from .rules.periods import span

_PAID = (
    Variable("period", VariableKind.TEXT, "期间", "2026年11月"),
    Variable("amount", VariableKind.MONEY, "返利金额"),
)
PAID = Builtin("rebates.paid", Purpose.SERVICE, "返利到账", "您 {period} 的返利 {amount} 已到账。", variables=_PAID)
PAID_UNTIL = Builtin(
    "rebates.paid_until",
    Purpose.SERVICE,
    "返利到账",
    "您 {period} 的返利 {amount} 已到账，请在 {day} 前使用。",
    variables=(*_PAID, Variable("day", VariableKind.DATE, "到期日")),
)
messages.declare(PAID, PAID_UNTIL)


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """A purchase counts for the schemes of its day."""
    await service.note(tx, event.member_id, event.sale_id)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """What comes back counts no longer, whenever its purchase was."""
    await service.note(tx, event.member_id, event.sale_id, event.refund_id)


@events.on(AccrualPosted)
async def note_accrual(event: AccrualPosted, tx: Tx) -> None:
    """A purchase that a till took offline counts on the day it was made."""
    await service.note(tx, event.member_id, event.accrual_id)


@events.on(RebatePaid)
async def tell(event: RebatePaid, tx: Tx) -> None:
    """Write to the member that a statement was paid, once."""
    values = {"period": span(event.first, event.last), "amount": str(event.fen)}
    template = PAID
    if event.expires_on is not None:
        template, values = PAID_UNTIL, values | {"day": event.expires_on.isoformat()}
    letter = Letter(event.member_id, template.code, values, event.statement_id, f"#/rebate?{event.statement_id}")
    await messages.send(tx, [letter])
