"""What is done when it was asked for, and by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import erasing, erasures, exports


@jobs.task(name=exports.JOB)
async def make_export(export_id: str) -> None:
    """Make a member's archive."""
    await exports.make(export_id)


@jobs.task(name=erasures.JOB)
async def erase(erasure_id: str) -> None:
    """Erase a member whose days are over."""
    await erasing.run(erasure_id)


@jobs.every("* * * * *")
async def resume() -> None:
    """Go on with archives and erasures whose job died, or that are due again."""
    await exports.resume()
    await erasing.resume()


@jobs.every("23 * * * *")
async def sweep() -> None:
    """Delete archives whose days are over, forget who was here long ago, and look again at who was erased."""
    await exports.sweep()
    await erasing.sweep()
    await erasing.look_again()
