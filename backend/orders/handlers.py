"""What WeChat reports of orders' payments and of their goods. Importing this module registers it."""

from __future__ import annotations

from backend.wechat import service as wechat
from backend.wechat.types import Refund

from . import plans
from .commands import payments, psp_refunds, receipts


async def settle_refund(refund: Refund) -> None:
    """Take the end of a refund: of a purchase, or of a payment that came too late."""
    if not await psp_refunds.settle_refund(refund):
        await payments.settle_late_refund(refund)


wechat.on_payment(payments.settle_payment, prefix=plans.PAYMENT_PREFIX)
wechat.on_refund(settle_refund, prefix=plans.PAYMENT_PREFIX)
wechat.on_receipt(receipts.receive_confirmed, prefix=plans.PAYMENT_PREFIX)
