"""What points do when staff asked for it, and by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import batches


@jobs.task(name=batches.JOB)
async def run_batch(batch_id: str) -> None:
    """Post the rows of a batch of adjustments."""
    await batches.run(batch_id)


@jobs.every("* * * * *")
async def resume_batches() -> None:
    """Go on with batches whose worker died."""
    await batches.resume()
