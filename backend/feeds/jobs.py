"""What the feed does when something was changed, and by the clock."""

from __future__ import annotations

from backend.kernel import clock, db, jobs

from .commands import delivering, numbering
from .types import JOB


@jobs.task(name=JOB, retry=0)
async def tell() -> None:
    """Number what was changed, and call whoever is to be told; again, behind other jobs, where that is not all."""
    await numbering.number()
    await delivering.deliver_due()
    if await delivering.is_due():
        async with db.transaction() as tx:
            await jobs.defer(tx, JOB, unique=JOB)


@jobs.every("* * * * *")
async def tell_again() -> None:
    """The same for what was not taken the first time, or not noticed."""
    await tell()


@jobs.every("40 3 * * *")
async def forget() -> None:
    """Forget what is too old to be asked for."""
    await numbering.forget(clock.now())
