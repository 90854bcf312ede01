"""Ending background tasks for sure."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait until they are over; what they raise is theirs.

    Asked again until they are: before Python 3.12 ``asyncio.wait_for``, which libraries use, may swallow a cancellation
    that comes in the moment its own work is done.
    """
    running = {task for task in tasks if task is not None}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.05)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
