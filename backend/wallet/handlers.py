"""What WeChat reports of recharges, and what members hear of theirs. Importing this module registers it.

Registered for every order number that no other domain claims, so that a notification of an unknown order is refused.
"""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind
from backend.wechat import service as wechat

from .commands import expiring  # noqa: F401 - its template
from .commands.payments import settle_payment
from .commands.pending import settle_refund

wechat.on_payment(settle_payment)
wechat.on_refund(settle_refund)

_PAY = Variable("pay", VariableKind.MONEY, "充值金额")
CREDITED = Builtin("wallet.recharged", Purpose.SERVICE, "充值到账", "您充值的 {pay} 已到账。", variables=(_PAY,))
CREDITED_WITH_BONUS = Builtin(
    "wallet.recharged_bonus",
    Purpose.SERVICE,
    "充值到账",
    "您充值的 {pay} 已到账，另赠 {bonus}。",
    variables=(_PAY, Variable("bonus", VariableKind.MONEY, "赠送金额")),
)
messages.declare(CREDITED, CREDITED_WITH_BONUS)


@events.on(Recharged)
async def tell(event: Recharged, tx: Tx) -> None:
    """Write to the member that a recharge was credited, once."""
    template = CREDITED_WITH_BONUS if event.bonus_fen else CREDITED
    values = {"pay": str(event.pay_fen), "bonus": str(event.bonus_fen)}
    await messages.send(tx, [Letter(event.member_id, template.code, values, event.recharge_id, "#/entries")])
