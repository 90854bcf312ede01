"""What letters do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .channels import offered  # noqa: F401 - the drivers
from .commands import deliver as delivering
from .commands import labels as printing
from .commands import returns, subscriptions

RUN_S = 20.0
"""How long one run sends before it queues the rest behind other jobs."""


@jobs.every("* * * * *", retry=3)
async def deliver() -> None:
    """Send what is due; queued by whoever writes a letter, and every minute for what waited or was left."""
    await delivering.run(RUN_S)


@jobs.every("41 4 * * *")
async def sweep_answers() -> None:
    """Forget the keys of answers that no phone sends again."""
    await subscriptions.sweep()


@jobs.every("27 4 * * *")
async def sweep_returns() -> None:
    """Forget who followed a letter's links a month ago, and nonces of gateways."""
    await returns.sweep()
    await printing.sweep()


@jobs.task(name=printing.JOB)
async def print_labels(sheet_id: str) -> None:
    """Make a sheet of labels that was asked for."""
    await printing.make(sheet_id)
