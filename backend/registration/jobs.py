"""What registration does when staff asked for it, and by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import batches, imports, validity


@jobs.task(name=batches.JOB)
async def run_batch(batch_id: str) -> None:
    """Change the members of a batch."""
    await batches.run(batch_id)


@jobs.every("* * * * *")
async def resume_batches() -> None:
    """Go on with batches whose worker died; end those that nobody approved."""
    await batches.resume()


@jobs.task(name=imports.JOB)
async def run_import(import_id: str) -> None:
    """Read and write a table of members."""
    await imports.run(import_id)


@jobs.every("* * * * *")
async def resume_imports() -> None:
    """Go on with imports whose worker died; end those that nobody approved."""
    await imports.resume()


@jobs.every("43 2 * * *", retry=3)
async def forget_unstarted() -> None:
    """Forget tables that were read a week ago and never started."""
    await imports.forget_unstarted()


@jobs.every("*/10 * * * *")
async def follow_days() -> None:
    """End memberships whose last day is over, and begin those whose first day has come."""
    await validity.follow_days()


@jobs.every("37 2 * * *", retry=3)
async def warn_of_ending() -> None:
    """Tell of memberships that end soon."""
    await validity.warn_of_ending()
