"""What feedback does by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import ageing


@jobs.every("*/5 * * * *")
async def escalate() -> None:
    """Make overdue cases to-dos of their store's manager, later of head office."""
    await ageing.escalate()


@jobs.every("23 * * * *")
async def close_answered() -> None:
    """Close what was answered and not taken up again."""
    await ageing.close_answered()


@jobs.every("43 19 * * *")
async def forget_contacts() -> None:
    """Forget walk-in customers' numbers some time after their cases were closed."""
    await ageing.forget_contacts()
