"""What groups do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import batches, spending


@jobs.task(name=batches.JOB)
async def run_allot_batch(batch_id: str) -> None:
    """Allot the rows of a table."""
    await batches.run(batch_id)


@jobs.every("* * * * *")
async def resume_allot_batches() -> None:
    """Go on with tables whose worker died."""
    await batches.resume()


@jobs.every("* * * * *")
async def settle_levels() -> None:
    """See what groups reached together whose people bought something, and end what was held long enough."""
    await spending.settle_levels()


@jobs.every("37 3 * * *")
async def forget_invitations() -> None:
    """Forget invitations whose time is over."""
    await spending.forget_invitations()
