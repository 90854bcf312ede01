"""What care does by the clock."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, jobs
from backend.kernel.config import settings

from .commands import carrying, judging, running

RUN_S = 20.0
"""How long one run sends letters before it queues the rest behind other jobs."""

FACTS_KEPT = timedelta(days=800)
"""Longer than the most days that a trigger looks back."""


@jobs.every("2 * * * *", retry=3)
async def run_plans() -> None:
    """Make the tasks of the day; hourly, since plans have their hours. What was cut short is taken up at once."""
    await running.run_due(clock.now())


@jobs.every("* * * * *")
async def carry_out() -> None:
    """Send what is due; queued by the run, and every minute for what a failure left."""
    await carrying.run(RUN_S)


@jobs.every("30 * * * *")
async def judge_tasks() -> None:
    """Look what members did after their task, when the plan's window is over."""
    now = clock.now()
    await judging.judge_due(now)
    await judging.forget_facts(clock.local_date(now - FACTS_KEPT, settings().timezone))
