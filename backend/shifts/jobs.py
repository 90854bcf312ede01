"""What shifts do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import counting


@jobs.every("* * * * *")
async def count_entries() -> None:
    """Make entries of what tills did."""
    await counting.count_due()
