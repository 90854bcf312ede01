"""What becomes of old looks."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db, jobs

from . import service

KEPT = timedelta(days=2 * 365)
AT_ONCE, ROUNDS = 5_000, 200


@jobs.every("20 20 * * *")
async def forget_looks() -> None:
    """Forget who looked at whom two years ago."""
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            gone = await service.forget(tx, clock.now() - KEPT, AT_ONCE)
        if gone < AT_ONCE:
            break
