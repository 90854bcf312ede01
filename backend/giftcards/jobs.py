"""What gift cards do by the clock, and the long work that staff ask for."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import batches, tries


@jobs.task(name=batches.MAKE_JOB)
async def make_cards(batch_id: str) -> None:
    """Make the rest of a large batch."""
    await batches.make_cards(batch_id)


@jobs.every("35 3 * * *")
async def sweep_tries() -> None:
    """Forget old tries at numbers."""
    await tries.sweep()
