"""The books' jobs do by the clock what their functions do; what the settings do not ask for is not done."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from backend.kernel import config
from backend.ledger import jobs, queries, service
from tests.ledger.test_partitions import partitions, two_years
from tests.support.books import changed, open_books, plan, stored

NOW = datetime(2026, 12, 3, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(clock):
    clock.freeze(NOW)


async def test_tables_are_made_from_last_month_on_and_old_empty_ones_of_the_outbox_go(settings, database):
    await service.make_partitions(date(2026, 9, 1), 2)

    await jobs.make_partitions()
    await jobs.drop_empty_outbox()

    entries, outbox = await partitions(settings, "ledger_entry"), await partitions(settings, "outbox")
    assert {f"ledger_entry_{month}" for month in (202609, 202610, 202611, 202612, 202701, 202702)} < {*entries}
    assert {name for name in outbox if name < "outbox_202703"} == {
        f"outbox_{month}" for month in (202611, 202612, 202701, 202702)
    }


async def test_sums_are_counted_in_the_chain_s_zone(settings, database):
    await service.post(changed(plan(await open_books(), *stored(12)), at=datetime(2026, 6, 1, 18, tzinfo=UTC)))

    await jobs.roll_up()

    day = date(2026, 6, 2)
    assert [total.amount for total in await queries.list_house_totals("Asia/Shanghai", day, day)] == [-12]


async def test_years_are_packed_only_where_the_settings_say_so_and_only_when_old_enough(settings, database):
    await two_years(settings, 2024)

    await jobs.archive()
    assert "ledger_entry_202401" in await partitions(settings, "ledger_entry")

    config.use(msgspec.structs.replace(settings, archive_after_months=12))
    try:
        await jobs.archive()
    finally:
        config.use(settings)
    names = await partitions(settings, "ledger_entry")
    assert "ledger_entry_2024" in names
    assert "ledger_entry_202401" not in names
    assert "ledger_entry_202501" in names  # not over for twelve months yet
