"""The house accounts' sums by day are exact, whatever is posted, committed late or killed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import asyncpg
import pytest
import pytest_asyncio

from backend.kernel import ids
from backend.ledger import queries, service
from backend.ledger.plans import encode
from tests.support.books import changed, connected, open_books, plan, points, stored
from tests.support.value import findings

ZONE = "Asia/Shanghai"
DAY = date(2026, 4, 2)
NIGHT = datetime(2026, 4, 1, 16, 30, tzinfo=UTC)
"""Half past midnight in Shanghai: already the next day there."""


@pytest_asyncio.fixture(loop_scope="session")
async def books(settings, database) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, with nothing counted yet."""
    async with connected(settings, "huiyuan_owner") as owner:
        await owner.execute("TRUNCATE ledger_rollup, ledger_rolled")
        yield owner


async def counted(zone: str = ZONE) -> dict[tuple[date, str, str, str], tuple[int, int]]:
    totals = await queries.list_house_totals(zone, date(2000, 1, 1), date(2100, 1, 1))
    return {(total.day, total.kind, total.ref, total.unit): (total.amount, total.entries) for total in totals}


async def booked(owner: asyncpg.Connection, zone: str = ZONE) -> dict[tuple[date, str, str, str], tuple[int, int]]:
    rows = await owner.fetch(
        "SELECT (at AT TIME ZONE $1)::date, kind, ref, unit, sum(amount)::bigint, count(*) FROM ledger_entry"
        " WHERE kind LIKE 'house.%' GROUP BY 1, 2, 3, 4",
        zone,
    )
    return {tuple(row)[:4]: (row[4], row[5]) for row in rows}


async def test_a_sum_is_kept_by_account_and_local_day(books):
    member_id = await open_books()
    await service.post(changed(plan(member_id, *stored(100)), at=NIGHT))
    await service.post(changed(plan(member_id, *stored(-30)), at=NIGHT))

    await service.roll_up(ZONE)
    await service.post(changed(plan(member_id, *stored(-20)), at=NIGHT))
    await service.roll_up(ZONE)

    totals = await queries.list_house_totals(ZONE, DAY, DAY)
    assert [(total.kind, total.unit, total.amount, total.entries) for total in totals] == [
        ("house.psp_clearing", "fen", -100, 1),
        ("house.sales", "fen", 50, 2),
    ]
    assert await queries.list_house_totals(ZONE, DAY, DAY, kind="house.sales") == totals[1:]
    assert await service.roll_up(ZONE) == 0


async def test_another_zone_has_days_of_its_own(books):
    await service.post(changed(plan(await open_books(), *stored(7)), at=NIGHT))

    await service.roll_up(ZONE)
    await service.roll_up("UTC")

    assert await counted() == await booked(books)
    assert await counted("UTC") == await booked(books, "UTC")


async def test_the_sums_are_exact_while_members_are_posted_for(books, settings):
    members = [await open_books() for _ in range(12)]
    stopping = False

    async def post(member_id: int) -> None:
        while not stopping:
            await service.post(plan(member_id, *stored(9), *points(3)))

    async def roll_up() -> None:
        for _ in range(10):
            await service.roll_up(ZONE, batch=5)

    posting = [asyncio.create_task(post(member_id)) for member_id in members]
    await asyncio.gather(roll_up(), roll_up())  # two at once: a worker that was thought dead
    assert await findings(settings) == []  # the sums are right for what they count, also while they lag behind
    stopping = True
    await asyncio.gather(*posting)
    await service.roll_up(ZONE, batch=5)

    assert await counted() == await booked(books)
    assert await findings(settings) == []


async def test_what_is_committed_late_is_counted_late(books, settings):
    member_id, other = await open_books(), await open_books()
    async with connected(settings, "huiyuan_app") as slow:
        transaction = slow.transaction()
        await transaction.start()
        late = changed(plan(member_id, *stored(100)), at=NIGHT)
        await slow.execute("SELECT ledger_post($1, $2::text::jsonb)", member_id, encode(late))
        await service.post(plan(other, *stored(5)))
        await service.roll_up(ZONE)
        before = (await counted()).get((DAY, "house.psp_clearing", "", "fen"), (0, 0))
        await transaction.commit()

    await service.roll_up(ZONE)

    after = (await counted())[DAY, "house.psp_clearing", "", "fen"]
    assert (after[0] - before[0], after[1] - before[1]) == (-100, 1)
    assert await counted() == await booked(books)


async def test_a_run_that_is_killed_counts_nothing_and_the_next_one_all(books, settings):
    for _ in range(3):
        await service.post(plan(await open_books(), *stored(11)))
    async with connected(settings, "huiyuan_app") as worker, connected(settings, "postgres") as postgres:
        await worker.execute("BEGIN")
        assert await worker.fetchval("SELECT ledger_roll_up($1, $2, 100)", ZONE, -(1 << 62))
        await postgres.execute("SELECT pg_terminate_backend($1, 10000)", worker.get_server_pid())
    assert await counted() == {}

    await service.roll_up(ZONE, batch=2)

    assert await counted() == await booked(books)


async def test_what_was_loaded_offline_counts_too(books):
    member_id = ids.new_bigint()
    loaded = [changed(plan(member_id, *stored(10), key=f"l{n}-{member_id}"), at=NIGHT) for n in range(5)]
    await books.execute(
        "SELECT ledger_load($1, $2::text[]::jsonb[])", [member_id] * 5, [encode(made) for made in loaded]
    )

    await service.roll_up(ZONE)

    assert await counted() == await booked(books)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_rollup SET amount = amount + 1 WHERE kind = 'house.psp_clearing'",
        "UPDATE ledger_rollup SET entries = entries + 1 WHERE kind = 'house.psp_clearing'",
        "DELETE FROM ledger_rollup WHERE kind = 'house.psp_clearing'",
        "INSERT INTO ledger_rollup VALUES ('Asia/Shanghai', '2020-01-01', 'house.sales', 'S9', 'fen', 5, 1)",
        "UPDATE ledger_rolled SET seq = seq - 1",
    ],
)
async def test_the_audit_finds_a_sum_that_is_not_its_entries(books, settings, statement):
    await service.post(plan(await open_books(), *stored(11)))
    await service.roll_up(ZONE)
    assert await findings(settings) == []

    await books.execute(statement)

    found = await findings(settings)
    assert {(finding.check, finding.member_id) for finding in found} == {("house_sums", 0)}
