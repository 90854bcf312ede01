"""What cards do by the clock, and when staff asked for it."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import ageing, batches, moves


@jobs.task(name=batches.MAKE_JOB)
async def make_cards(batch_id: str) -> None:
    """Make the numbers that a batch still lacks."""
    await batches.make_cards(batch_id)


@jobs.task(name=moves.JOB)
async def run_move(move_id: str) -> None:
    """Move the rest of a run of cards."""
    await moves.run(move_id)


@jobs.every("* * * * *")
async def resume_cards() -> None:
    """Go on with batches and moves whose worker died."""
    await batches.resume()
    await moves.resume()


@jobs.every("20 * * * *")
async def expire_cards() -> None:
    """Let cards whose last day is over be expired."""
    await ageing.expire_cards()
