"""What becomes of orders by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import notices, payments, psp_refunds, receipts


@jobs.every("* * * * *")
async def advance_payments() -> None:
    """Ask WeChat about unpaid orders, close stale ones and release what they hold, give late payments back."""
    await payments.advance_due(clock.now())


@jobs.every("7 * * * *")
async def advance_orders() -> None:
    """Sent orders count as received, received ones as done; hourly, so that a missed run costs an hour."""
    await receipts.advance_due(clock.now())


@jobs.every("* * * * *")
async def pay_back_due() -> None:
    """Ask WeChat for refunds that are still owed."""
    await psp_refunds.advance_due(clock.now())


@jobs.every("* * * * *")
async def tell_wechat() -> None:
    """Tell WeChat how the goods of its payments travel."""
    await notices.tell_due(clock.now())


@jobs.task(name=psp_refunds.JOB)
async def pay_back(refund_id: str) -> None:
    """Ask WeChat for a refund that was booked just now."""
    await psp_refunds.pay_back(refund_id)
