"""What surveys do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import rewards


@jobs.every("*/5 * * * *")
async def pay_due() -> None:
    """Pay what answers are given and could not be paid at once: a coupon had run out, a member was frozen."""
    await rewards.pay_due()
