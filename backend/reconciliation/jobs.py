"""What reconciliation does by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import bills, clearing


@jobs.every("*/10 * * * *")
async def take_bills() -> None:
    """Take the bills that can be had, and judge their days."""
    await bills.take_due(clock.now())


@jobs.every("* * * * *")
async def count_clearing() -> None:
    """Count what was bought since the last run; then some of what was bought before anybody counted."""
    await clearing.count_due()
    await clearing.look_back()
