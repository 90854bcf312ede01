"""What merging does by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import candidates, passing


@jobs.every("40 18 * * *")
async def search() -> None:
    """Look for pairs of members who may be one person."""
    await candidates.search()


@jobs.every("25 * * * *")
async def sweep() -> None:
    """Pass on what lies on merged members' books whatever became of its event."""
    await passing.sweep()
