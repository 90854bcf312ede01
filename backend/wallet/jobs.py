"""What the wallet does by the clock."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, jobs
from backend.ledger import service as ledger

from .commands import lots, pending

MONTHS_AHEAD = 4


@jobs.every("* * * * *")
async def advance_recharges() -> None:
    """Ask WeChat about unpaid orders, close stale ones, give late payments back."""
    await pending.advance_due(clock.now())


@jobs.every("5 * * * *")
async def age_lots() -> None:
    """Make pending points available, then take what expired; hourly, so that a missed midnight costs an hour."""
    now = clock.now()
    await lots.mature_points(now)
    await lots.expire_lots(now)


@jobs.every("41 4 * * *")
async def make_partitions() -> None:
    """Have the tables of the coming months ready, and last month's where it was never made."""
    await ledger.make_partitions((clock.now() - timedelta(days=31)).date(), MONTHS_AHEAD)
