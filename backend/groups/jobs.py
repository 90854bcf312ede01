"""What groups do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import spending


@jobs.every("* * * * *")
async def settle_levels() -> None:
    """See what groups reached together whose people bought something, and end what was held long enough."""
    await spending.settle_levels()


@jobs.every("37 3 * * *")
async def forget_invitations() -> None:
    """Forget invitations whose time is over."""
    await spending.forget_invitations()
