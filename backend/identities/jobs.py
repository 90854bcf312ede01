"""What identification does by the clock."""

from __future__ import annotations

from backend.kernel import clock, ids, jobs

from . import commands, service


@jobs.task(name=service.JOB, retry=3)
async def send_code(request_id: str, number: int) -> None:
    """Send the code of a request by SMS; the gateway knows a repeat."""
    await service.deliver_code(ids.read_bigint(request_id) or 0, number, clock.now())


@jobs.every("43 4 * * *")
async def forget_requests() -> None:
    """Forget requests that were over a month ago."""
    while await commands.forget_requests() == commands.AT_ONCE:
        pass
