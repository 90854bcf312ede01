"""What WeChat reports of recharges, and what members hear of theirs. Importing this module registers it.

Registered for every order number that no other domain claims, so that a notification of an unknown order is refused.
"""

from __future__ import annotations

from backend.approvals import service as approvals
from backend.approvals.types import Kind
from backend.auth.types import Permission
from backend.groups.events import AllotmentTakenBack
from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged, SaleRefunded, StoredReturned
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind
from backend.wechat import service as wechat

from .commands import expiring, forfeiting, refunds  # noqa: F401 - its template
from .commands.payments import LATE, settle_payment
from .commands.pending import settle_refund
from .events import RechargeGivenBack, RechargeRefundMoved
from .types import RefundState

approvals.declare(
    Kind(
        code=refunds.KIND,
        title="大额充值退款",
        permission=Permission.STORED_DECIDE,
        body=refunds.RefundApproval,
        apply=refunds.apply_approval,
        reject=refunds.reject_approval,
    )
)
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
_BACK = Variable("amount", VariableKind.MONEY, "退款金额")
REFUND_LETTERS = {
    RefundState.FROZEN: Builtin(
        "wallet.refund_frozen",
        Purpose.SERVICE,
        "充值退款处理中",
        "您的充值退款 {amount} 已受理，相应余额已冻结，将原路退回。",
        variables=(_BACK,),
    ),
    RefundState.DONE: Builtin(
        "wallet.refund_done",
        Purpose.SERVICE,
        "充值退款成功",
        "您的充值退款 {amount} 已原路退回，该笔充值的赠送已收回。",
        variables=(_BACK,),
    ),
    RefundState.FAILED: Builtin(
        "wallet.refund_failed",
        Purpose.SERVICE,
        "充值退款未成功",
        "您的充值退款 {amount} 未能完成，冻结的余额已恢复。",
        variables=(_BACK,),
    ),
    RefundState.REJECTED: Builtin(
        "wallet.refund_rejected",
        Purpose.SERVICE,
        "充值退款未通过",
        "您的充值退款 {amount} 未通过审核，余额不变。",
        variables=(_BACK,),
    ),
}
GIVEN_BACK = Builtin(
    "wallet.given_back",
    Purpose.SERVICE,
    "充值未入账",
    "您支付的 {pay} 晚于充值订单关闭时间，未入账，将原路退回。",
    variables=(_PAY,),
)
OVER_LIMIT = Builtin(
    "wallet.over_limit",
    Purpose.SERVICE,
    "充值未入账",
    "您支付的 {pay} 超过储值限额，未入账，将原路退回。",
    variables=(_PAY,),
)
messages.declare(CREDITED, CREDITED_WITH_BONUS, GIVEN_BACK, OVER_LIMIT, *REFUND_LETTERS.values())


@events.on(Recharged)
async def tell(event: Recharged, tx: Tx) -> None:
    """Write to the member that a recharge was credited, once."""
    template = CREDITED_WITH_BONUS if event.bonus_fen else CREDITED
    values = {"pay": str(event.pay_fen), "bonus": str(event.bonus_fen)}
    await messages.send(tx, [Letter(event.member_id, template.code, values, event.recharge_id, "#/entries")])


@events.on(RechargeGivenBack)
async def tell_of_giving_back(event: RechargeGivenBack, tx: Tx) -> None:
    """Write to the member that a payment was not credited and comes back, once."""
    template = GIVEN_BACK if event.why == LATE else OVER_LIMIT
    values = {"pay": str(event.pay_fen)}
    await messages.send(tx, [Letter(event.member_id, template.code, values, event.recharge_id, "#/recharges")])


@events.on(RechargeRefundMoved)
async def tell_of_refund(event: RechargeRefundMoved, tx: Tx) -> None:
    """Write to the member where the refund of a recharge stands, once for each state that has a letter."""
    template = REFUND_LETTERS.get(RefundState(event.state))
    if template is not None:
        values = {"amount": str(event.amount_fen)}
        await messages.send(tx, [Letter(event.member_id, template.code, values, event.refund_id, "#/recharges")])


@events.on(AllotmentTakenBack)
async def look_for_forfeited_of_a_group(event: AllotmentTakenBack, tx: Tx) -> None:
    """What is taken back of an allotment may be bonus that its owner had given up meanwhile."""
    await forfeiting.wake(tx, event.member_id, f"{event.allotment_id}:{event.taken}")


@events.on(SaleRefunded)
async def look_for_forfeited(event: SaleRefunded, tx: Tx) -> None:
    """A sale's refund may bring bonus back that its member had given up."""
    await forfeiting.wake(tx, event.member_id, event.refund_id)


@events.on(StoredReturned)
async def look_for_forfeited_of_others(event: StoredReturned, tx: Tx) -> None:
    """So may a gift that came to nothing, and an order that was not paid for."""
    await forfeiting.wake(tx, event.member_id, event.by)
