"""What gifts do by the clock."""

from __future__ import annotations

from backend.kernel import clock, jobs

from .commands import ending


@jobs.every("*/5 * * * *")
async def expire_waiting() -> None:
    """End what was not fetched in time: its piece goes back to the shelf, its price to the member."""
    await ending.expire_waiting(clock.now())


@jobs.every("20 * * * *")
async def warn_waiting() -> None:
    """Write to members whose gift waits for the last day tomorrow."""
    await ending.warn_waiting(clock.now())
