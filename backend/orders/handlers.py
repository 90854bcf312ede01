"""What WeChat reports of orders' payments and of their goods, and what members hear. Importing registers it."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import events
from backend.kernel.db import Tx
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose
from backend.wechat import service as wechat
from backend.wechat.types import Refund

from . import addresses, plans
from .commands import payments, psp_refunds, receipts
from .events import AfterSaleMoved, OrderSent
from .types.after import AfterSaleState

SENT = Builtin("order.sent", Purpose.SERVICE, "订单已发货", "您的订单已全部发出，请留意收货。")
READY = Builtin("order.ready", Purpose.SERVICE, "订单可以取货了", "您的订单已备好，请到门店出示取货码。")
OF_REQUESTS = {
    AfterSaleState.APPROVED: Builtin("after_sale.approved", Purpose.SERVICE, "售后申请已通过", "请按页面提示继续。"),
    AfterSaleState.REJECTED: Builtin("after_sale.rejected", Purpose.SERVICE, "售后申请未通过", "原因请看售后详情。"),
    AfterSaleState.REFUNDED: Builtin(
        "after_sale.refunded", Purpose.SERVICE, "退款已完成", "款项已按原路退回，微信支付部分以到账为准。"
    ),
    AfterSaleState.EXCHANGED: Builtin("after_sale.exchanged", Purpose.SERVICE, "换货已发出", "请留意收货。"),
}
messages.declare(SENT, READY, *OF_REQUESTS.values())


async def main_receivers(member_ids: Sequence[int]) -> dict[int, messages.Receiver]:
    """Where members are written to by post: where goods are sent to them."""
    found = await addresses.main_receivers(member_ids)
    return {
        member_id: messages.Receiver(
            one.name, "".join(dict.fromkeys((one.province, one.city, one.district))), one.street
        )
        for member_id, one in found.items()
    }


messages.post_by(main_receivers)


async def settle_refund(refund: Refund) -> None:
    """Take the end of a refund: of a purchase, or of a payment that came too late."""
    if not await psp_refunds.settle_refund(refund):
        await payments.settle_late_refund(refund)


wechat.on_payment(payments.settle_payment, prefix=plans.PAYMENT_PREFIX)
wechat.on_refund(settle_refund, prefix=plans.PAYMENT_PREFIX)
wechat.on_receipt(receipts.receive_confirmed, prefix=plans.PAYMENT_PREFIX)


@events.on(OrderSent)
async def tell_of_goods(event: OrderSent, tx: Tx) -> None:
    """Write to the member that an order is on its way, or waits at the store."""
    template = READY if event.ready else SENT
    await messages.send(tx, [Letter(event.member_id, template.code, {}, event.order_id, f"#/order?{event.order_id}")])


@events.on(AfterSaleMoved)
async def tell_of_request(event: AfterSaleMoved, tx: Tx) -> None:
    """Write to the member what was decided about a request, and that it is done."""
    template = OF_REQUESTS.get(AfterSaleState(event.state))
    if template is not None:
        link = f"#/after-sale?{event.after_sale_id}"
        await messages.send(tx, [Letter(event.member_id, template.code, {}, event.after_sale_id, link)])
