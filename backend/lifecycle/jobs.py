"""What levels and stages do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import clockwork, runs


@jobs.every("* * * * *", retry=3)
async def go_on() -> None:
    """Go on with runs over many members; queued by whoever begins one, and each minute for what was left."""
    await runs.go_on()


@jobs.every("7 * * * *", retry=3)
async def settle_due() -> None:
    """Begin the day's look at members whose period or stage ends; in the first hour of the chain's day."""
    await runs.start_due()


@jobs.every("17 * * * *", retry=3)
async def look_at_new() -> None:
    """Begin a look at members whom nobody has looked at yet, once what they bought is read."""
    await runs.start_new()


@jobs.every("* * * * *")
async def look_back() -> None:
    """Read what was bought before levels counted it."""
    await clockwork.look_back()


@jobs.every("23 2 * * *")
async def warn_of_ending() -> None:
    """Write to members whose level ends within a month and is not kept yet."""
    await clockwork.warn_of_ending()


@jobs.every("51 * * * *")
async def count_stages() -> None:
    """Count who is in which stage; the last count of a day stays."""
    await clockwork.count_stages()
