"""What rebates do by the clock, and when staff asked for it."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import clockwork, expiring, runs


@jobs.every("* * * * *", retry=3)
async def go_on() -> None:
    """Go on with runs; queued by whoever begins one, and each minute for what was left."""
    await runs.go_on()


@jobs.every("* * * * *")
async def look_back() -> None:
    """Read what was bought before rebates counted it."""
    await clockwork.look_back()


@jobs.every("35 18 * * *")
async def estimate() -> None:
    """Count what the current periods have come to so far."""
    await runs.estimate()


@jobs.every("*/10 * * * *")
async def roll_up() -> None:
    """Count what became of what was paid, for reports."""
    await clockwork.roll_up()


@jobs.every("9 * * * *", retry=3)
async def expire() -> None:
    """Take what expired; hourly, so that a missed midnight costs an hour."""
    await expiring.expire_lots(clock.now())


@jobs.every("13 2 * * *", retry=5)
async def warn_of_expiring() -> None:
    """Write to members whose rebate expires in some days; once for each last day."""
    await expiring.warn(clock.now())
