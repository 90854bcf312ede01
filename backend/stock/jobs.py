"""What happens to stock by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import alerts, till_sales


@jobs.every("* * * * * */5")
async def move_sales() -> None:
    """Move what tills sold and took back."""
    await till_sales.move_due()


@jobs.every("* * * * *")
async def tell_low() -> None:
    """Tell of what fell to its threshold, and close what is over."""
    await alerts.tell_low()
    await alerts.close_over()


@jobs.every("*/10 * * * *")
async def report_overdue() -> None:
    """Report promises that no order asks for any more."""
    await alerts.report_overdue()
