"""What is counted by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import purchases


@jobs.every("* * * * *")
async def count_purchases() -> None:
    """Count what was sold and given back since the last run; then some of what was sold before anybody counted."""
    await purchases.count_due()
    await purchases.look_back()
