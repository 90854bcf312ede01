"""What the books need by the clock: tables of the coming months, old ones packed or dropped, house accounts' sums."""

from __future__ import annotations

from datetime import date

from backend.kernel import clock, jobs, logging
from backend.kernel.config import settings

from . import queries, service

log = logging.get(__name__)

MONTHS_AHEAD = 4


@jobs.every("*/10 * * * *")
async def roll_up() -> None:
    """Count what was posted meanwhile into the house accounts' sums by day."""
    await service.roll_up(settings().timezone)


@jobs.every("41 * * * *")
async def make_partitions() -> None:
    """Have the tables of the coming months ready, and last month's where it was never made."""
    await service.make_partitions(_month(months_ago=1), MONTHS_AHEAD)
    if await queries.has_homeless_entries():
        log.warning("ledger.default_partition_in_use")


@jobs.every("29 4 * * *")
async def drop_empty_outbox() -> None:
    """Drop the outbox's tables of past months once all of their events are handled; last month's is left alone."""
    await service.drop_empty_outbox(_month(months_ago=1))


@jobs.every("43 18 * * *")
async def archive() -> None:
    """Pack the entries of past years, as the settings say; in the small hours of Shanghai."""
    months = settings().archive_after_months
    if months:
        for year in await service.archive_years(settings(), _month(months_ago=months)):
            log.info("ledger.archived", year=year)


def _month(*, months_ago: int) -> date:
    """The first day of that month, UTC: the borders of the tables."""
    today = clock.now().date()
    month = today.year * 12 + today.month - 1 - months_ago
    return date(month // 12, month % 12 + 1, 1)
