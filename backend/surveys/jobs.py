"""What surveys do by the clock."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import forgetting, inviting, mixing, rewards


@jobs.every("*/5 * * * *")
async def pay_due() -> None:
    """Pay what answers are given and could not be paid at once: a coupon had run out, a member was frozen."""
    await rewards.pay_due()


@jobs.task(name=inviting.JOB)
async def invite() -> None:
    """Write the letters of invitations that head office asked for."""
    await inviting.invite_due()


@jobs.every("*/10 * * * *")
async def go_on_inviting() -> None:
    """Take up invitations that were cut short."""
    await inviting.invite_due()


@jobs.every("25 18 * * *")
async def mix_answers() -> None:
    """Mix anonymous answers, so that no row says whose it is, and forget what was sent or saved for none."""
    await mixing.mix()
    await forgetting.drop_unused_photos()
    await forgetting.drop_saved()
