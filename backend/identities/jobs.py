"""What identification does by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from . import commands


@jobs.every("43 4 * * *")
async def forget_requests() -> None:
    """Forget requests that were over a month ago."""
    while await commands.forget_requests() == commands.AT_ONCE:
        pass
