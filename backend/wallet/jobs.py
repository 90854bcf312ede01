"""What the wallet does by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import expiring, lots, pending


@jobs.every("* * * * *")
async def advance_recharges() -> None:
    """Ask WeChat about unpaid orders, close stale ones, give late payments back."""
    await pending.advance_due(clock.now())


@jobs.every("5 * * * *", retry=3)
async def age_lots() -> None:
    """Make pending points available, then take what expired; hourly, so that a missed midnight costs an hour."""
    now = clock.now()
    await lots.mature_points(now)
    await lots.expire_lots(now)


@jobs.every("10 2 * * *", retry=5)
async def warn_of_expiring_points() -> None:
    """Write to members whose points expire in some days; once for each last day."""
    await expiring.warn_of_expiring_points(clock.now())
