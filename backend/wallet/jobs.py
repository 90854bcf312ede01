"""What the wallet does by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs
from backend.kernel.config import settings

from . import reports
from .commands import expiring, forfeiting, lots, monthly, pending, refund_books, refunding


@jobs.every("* * * * *")
async def advance_recharges() -> None:
    """Ask WeChat about unpaid orders, close stale ones, give late payments back."""
    await pending.advance_due(clock.now())


@jobs.every("* * * * *")
async def advance_refunds() -> None:
    """Ask WeChat for refunds of recharges that are frozen or were not answered; deduct or thaw."""
    await refunding.advance_due(clock.now())


@jobs.task(name=refund_books.JOB, retry=5)
async def pay_back(refund_id: str) -> None:
    """Ask WeChat for one refund at once."""
    await refunding.pay_back(refund_id)


@jobs.task(name=forfeiting.JOB)
async def forfeit_bonus(member_id: str, by: str) -> None:
    """Take bonus that a sale's refund brought back to a recharge which was given back."""
    await forfeiting.forfeit(int(member_id), by)


@jobs.every("5 * * * *", retry=3)
async def age_lots() -> None:
    """Make pending points available, then take what expired; hourly, so that a missed midnight costs an hour."""
    now = clock.now()
    await lots.mature_points(now)
    await lots.expire_lots(now)


@jobs.every("*/10 * * * *")
async def roll_up_days() -> None:
    """Count what moved of stored value by day, for reports."""
    await reports.roll_up(settings().timezone)


@jobs.every("20 1 1,2,3 * *", retry=5)
async def tell_of_statements() -> None:
    """Write to members whose stored value moved last month that its statement is there; missed, it is made up for."""
    await monthly.tell_of_statements(clock.now())


@jobs.every("10 2 * * *", retry=5)
async def warn_of_expiring_points() -> None:
    """Write to members whose points expire in some days; once for each last day."""
    await expiring.warn_of_expiring_points(clock.now())
