"""What passes do by the clock, and what recharges earned."""

from __future__ import annotations

from backend.kernel import clock, jobs
from backend.kernel.config import settings

from .commands import ageing, earning


@jobs.every("15 * * * *", retry=3)
async def age_passes() -> None:
    """Earn last month's days, end what expired, warn of what will; hourly, so that a missed midnight costs an hour."""
    now = clock.now()
    await ageing.recognise_days(now)
    await ageing.expire_passes(now)
    await ageing.warn_of_expiry(now, settings().pass_warn_days)


@jobs.task(name=earning.JOB)
async def give_earned(member_id: int, product_id: str, recharge_id: str) -> None:
    """Give a member the pass that a recharge earned."""
    await earning.give_earned(member_id, product_id, recharge_id)
