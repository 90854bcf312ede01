"""What coupons do by the clock, and the long work that staff ask for."""

from __future__ import annotations

from backend.kernel import clock, jobs

from . import service
from .commands import ageing, automatic, batches, days, gifts, handouts, rewards, templates


@jobs.every("* * * * *")
async def issue_due() -> None:
    """Issue what events made due; queued by them, and every minute for what a failure left."""
    await automatic.issue_due()


@jobs.every("20 * * * *")
async def note_birthdays() -> None:
    """Note whose birthday it is; hourly, because days begin at another hour in every zone."""
    await automatic.note_birthdays(clock.now())


@jobs.every("10 * * * *", retry=3)
async def age_coupons() -> None:
    """End what expired, then warn of what will; hourly, so that a missed midnight costs an hour.

    A run that was cut short is taken up at once, and goes on with what is still due.
    Gifts whose time is over come back first: their last days are mostly over, too.
    """
    now = clock.now()
    await gifts.return_gifts(now)
    await ageing.expire_coupons(now)
    await ageing.warn_of_expiry(now)


@jobs.every("*/5 * * * *")
async def return_gifts() -> None:
    """Give back what nobody accepted in time."""
    await gifts.return_gifts(clock.now())


@jobs.every("40 3 * * *")
async def forget_refused() -> None:
    """Drop old counts of what tills were refused."""
    await service.forget_refused(clock.now())


@jobs.every("50 * * * *")
async def count_days() -> None:
    """Count what coupons did on days that are over; hourly, because days end at another hour in every zone."""
    await days.count_days(clock.now())


@jobs.task(name=batches.MAKE_JOB)
async def make_codes(batch_id: str) -> None:
    """Make the rest of a large batch of codes."""
    await batches.make_codes(batch_id)


@jobs.task(name=templates.HAND_OUT)
async def hand_out(handout_id: str) -> None:
    """Give a coupon to each member of a list."""
    await handouts.hand_out(handout_id)


@jobs.task(name=rewards.JOB)
async def take_back_rewards(member_id: int, sale_id: str) -> None:
    """Take back what a refunded sale was given."""
    await rewards.take_back(member_id, sale_id)
