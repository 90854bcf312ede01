"""What approvals do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from . import commands


@jobs.every("3-59/10 * * * *")
async def expire() -> None:
    """Close what nobody decided within a week; forget what people decided alone a week ago."""
    await commands.expire()
    await commands.forget_counts()
