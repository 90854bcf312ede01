"""What suggestion boxes do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import mixing, tickets


@jobs.every("7 * * * *")
async def mind_keys() -> None:
    """Make the keys of this week and the next, and forget those that are over."""
    await tickets.mind_keys()


@jobs.every("37 * * * *")
async def mix_rows() -> None:
    """Mix the rows of anonymous suggestions whose day is over, so that they say no more than their day."""
    await mixing.mix()
