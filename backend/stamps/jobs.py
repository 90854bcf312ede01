"""What campaigns do by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import cards, closing, giving


@jobs.every("* * * * *")
async def give_due() -> None:
    """Give what events made due; queued by them, and every minute for what a failure left."""
    await cards.redeem_all(await giving.give_due())


@jobs.every("*/10 * * * *")
async def redeem_waiting() -> None:
    """Turn cards that are full into rewards, once there are any again."""
    await cards.redeem_waiting()


@jobs.every("5 * * * *")
async def close_campaigns() -> None:
    """End what is over: give what is due until then, redeem what is full, and let the rest expire."""
    await cards.redeem_all(await giving.give_due())
    await closing.end_over(clock.now())
    await cards.redeem_waiting()
    await closing.close_ended()
