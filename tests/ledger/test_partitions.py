"""Months and years of the books are made, packed and dropped beside a server that settles."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import asyncpg
import msgspec
import pytest

from backend.kernel import ids
from backend.kernel.config import Settings
from backend.ledger import queries, service
from backend.ledger.plans import encode
from tests.support.books import changed, connected, open_books, plan, points, stored
from tests.support.value import findings

LOAD = "SELECT ledger_load($1, $2::text[]::jsonb[])"


@asynccontextmanager
async def posting() -> AsyncIterator[list[int]]:
    """Four members who are posted for without a pause; what each must have in the end."""
    members = [await open_books() for _ in range(4)]
    held = [0] * len(members)
    stopping = False

    async def post(which: int) -> None:
        while not stopping or not held[which]:
            await service.post(plan(members[which], *stored(5)))
            held[which] += 5

    tasks = [asyncio.create_task(post(which)) for which in range(len(members))]
    try:
        yield held
    finally:
        stopping = True
        await asyncio.gather(*tasks)
    for member_id, amount in zip(members, held, strict=True):
        assert (await queries.get_balances(member_id))["stored"] == amount


async def in_time(count: int, run: Callable[[], Awaitable[int]]) -> int:
    """How much a few runs did together: what a lock of the moment (autovacuum's) kept one from is left to the next."""
    done = await run()
    async with asyncio.timeout(60):
        while done < count:
            await asyncio.sleep(0.05)
            done += await run()
    return done


async def partitions(settings: Settings, parent: str) -> dict[str, str]:
    """The partitions of a table and their bounds."""
    async with connected(settings, "postgres") as postgres:
        rows = await postgres.fetch(
            "SELECT relname, pg_get_expr(relpartbound, c.oid) AS bound FROM pg_inherits"
            " JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = $1::text::regclass",
            parent,
        )
    return {row["relname"]: row["bound"] for row in rows}


async def rows_of(settings: Settings, table: str) -> int:
    async with connected(settings, "postgres") as postgres:
        return int(await postgres.fetchval(f"SELECT count(*) FROM {table}"))


async def shape(settings: Settings, table: str) -> tuple[list[str], list[str], bool]:
    """Indexes (as their columns), triggers with their state, and whether the application may write."""
    async with connected(settings, "postgres") as postgres:
        indexes = await postgres.fetch(
            "SELECT substring(pg_get_indexdef(indexrelid) FROM '\\(.*') FROM pg_index"
            " WHERE indrelid = $1::text::regclass",
            table,
        )
        triggers = await postgres.fetch(
            "SELECT tgname || ':' || tgenabled::text AS name FROM pg_trigger WHERE tgrelid = $1::text::regclass", table
        )
        writes = await postgres.fetchval(
            "SELECT has_table_privilege('huiyuan_app', $1, 'INSERT, UPDATE, DELETE, TRUNCATE')", table
        )
    return sorted(row[0] for row in indexes), sorted(row[0] for row in triggers), writes


async def test_a_month_has_the_indexes_triggers_and_rights_of_the_others(settings, database):
    async with posting():
        assert await service.make_partitions(date(2031, 5, 17), 2) == 4
        assert await service.make_partitions(date(2031, 6, 1), 1) == 0

    assert (await partitions(settings, "ledger_entry"))["ledger_entry_203106"] == (
        "FOR VALUES FROM ('2031-06-01 00:00:00+00') TO ('2031-07-01 00:00:00+00')"
    )
    indexes, triggers, writes = await shape(settings, "ledger_entry_203105")
    assert (indexes, triggers, writes) == await shape(settings, "ledger_entry_default")
    assert indexes[0].startswith("(at) WHERE (kind = ANY")  # of coupons alone, for their statements
    assert indexes[1] == "(at, member_id, seq) WHERE (kind = 'house.psp_clearing'::text)"  # for WeChat's bills
    assert indexes[2:] == ["(member_id, kind, ref, version)", "(member_id, seq, leg, at)"]
    assert triggers == ["ledger_entry_is_history:O", "ledger_entry_stays:O"]
    assert writes is False
    async with connected(settings, "huiyuan_owner") as owner:
        for statement in ("TRUNCATE ledger_entry_203105", "TRUNCATE ledger_entry_default"):
            with pytest.raises(asyncpg.RestrictViolationError, match="history is immutable"):
                await owner.execute(statement)


async def test_rows_in_the_default_partition_move_to_their_month_while_others_are_posted_for(settings, database):
    members = [await open_books() for _ in range(3)]
    old = datetime(2019, 5, 31, 23, 59, tzinfo=UTC)
    for member_id in members:
        await service.post(changed(plan(member_id, *stored(100)), at=old, events=({"name": "Nobody", "body": {}},)))
        await service.post(changed(plan(member_id, *stored(-30)), at=old + timedelta(minutes=2)))
    assert await rows_of(settings, "ledger_entry_default") == 12
    assert await queries.has_homeless_entries()

    async with posting():
        made = await service.make_partitions(date(2031, 5, 1), 1)

    assert made == 3  # of entries May and June 2019, of the outbox May
    assert await rows_of(settings, "ledger_entry_default") == 0
    assert not await queries.has_homeless_entries()
    assert (await rows_of(settings, "ledger_entry_201905"), await rows_of(settings, "ledger_entry_201906")) == (6, 6)
    assert await rows_of(settings, "outbox_201905") == 3
    assert (await shape(settings, "ledger_entry_201905")) == (await shape(settings, "ledger_entry_default"))
    assert await findings(settings) == []
    for member_id in members:
        assert [
            entry.balance_after for entry in await queries.list_statement(member_id, "stored", before=None, limit=9)
        ] == [70, 100]


async def test_a_month_of_too_many_rows_stays_where_it_is(settings, database):
    member_id = await open_books()
    await service.post(changed(plan(member_id, *stored(1)), at=datetime(2018, 5, 3, tzinfo=UTC)))
    async with connected(settings, "huiyuan_owner") as owner:
        assert await owner.fetchval("SELECT ledger_make_partitions('2031-05-01', 1, 1)") == 0
        assert await rows_of(settings, "ledger_entry_default") == 2

        moving = "SELECT ledger_make_partitions('2031-05-01', 1, 2)"
        assert await in_time(1, lambda: owner.fetchval(moving)) == 1
    assert await rows_of(settings, "ledger_entry_default") == 0


async def test_a_long_read_holds_up_the_rotation_and_the_rotation_nobody(settings, database):
    async with connected(settings, "huiyuan_app") as reader, reader.transaction():
        await reader.fetch("SELECT count(*) FROM ledger_entry")

        async with posting():
            assert await in_time(1, lambda: service.make_partitions(date(2033, 1, 1), 1)) == 1  # the outbox's
            assert "ledger_entry_203301" not in await partitions(settings, "ledger_entry")

    assert await in_time(1, lambda: service.make_partitions(date(2033, 1, 1), 1)) == 1


async def test_the_outbox_s_old_months_go_when_they_are_empty(settings, database):
    await service.make_partitions(date(2017, 1, 1), 3)
    member_id = await open_books()
    event = ({"name": "Nobody", "body": {}},)
    await service.post(changed(plan(member_id, *stored(1)), at=datetime(2017, 2, 3, tzinfo=UTC), events=event))

    async with posting():
        assert await in_time(1, lambda: service.drop_empty_outbox(date(2017, 3, 15))) == 1

    left = {name for name in await partitions(settings, "outbox") if name.startswith("outbox_2017")}
    assert left == {"outbox_201702", "outbox_201703"}  # one has a row, the other is not over
    async with connected(settings, "huiyuan_app") as app:
        await app.execute("DELETE FROM outbox WHERE member_id = $1", member_id)
    assert await in_time(2, lambda: service.drop_empty_outbox(date(2017, 4, 1))) == 2


async def two_years(settings: Settings, first: int) -> list[int]:
    """Members with a transfer every month of two years."""
    members = [ids.new_bigint() for _ in range(5)]
    plans = []
    for month in range(24):
        at = datetime(first + month // 12, month % 12 + 1, 28, tzinfo=UTC)
        for member_id in members:
            legs = (*stored(10 + month), *points(month + 1))
            plans.append(changed(plan(member_id, *legs, key=f"{first}-{month}-{member_id}"), at=at))
    async with connected(settings, "huiyuan_owner") as owner:
        await owner.execute("SELECT ledger_make_partitions($1, 24)", date(first, 1, 1))
        await owner.execute(LOAD, [made.member_id for made in plans], [encode(made) for made in plans])
    return members


async def told(member_id: int) -> list[tuple[int, int]]:
    return [
        (entry.seq, entry.balance_after)
        for entry in await queries.list_statement(member_id, "points", before=None, limit=99)
    ]


async def unchanged(settings: Settings, archiving: Awaitable[list[int]], members: list[int]) -> list[int]:
    """Archive beside postings; no row of these members is another one afterwards."""
    before = await fingerprint_of(settings, members), [await told(member_id) for member_id in members]
    async with posting():
        years = await archiving
    assert (await fingerprint_of(settings, members), [await told(member_id) for member_id in members]) == before
    return years


async def fingerprint_of(settings: Settings, members: list[int]) -> str:
    async with connected(settings, "postgres") as postgres:
        text: str = await postgres.fetchval(
            "SELECT md5(string_agg(e::text, ',' ORDER BY member_id, seq, leg)) FROM ledger_entry e"
            " WHERE member_id = ANY($1)",
            members,
        )
        return text


async def test_years_are_packed_beside_postings_and_nothing_of_them_changes(settings, database):
    members = await two_years(settings, 2011)

    years = await unchanged(settings, service.archive_years(settings, date(2012, 12, 31)), members)

    assert years == [2011]  # 2012 is not over by then
    assert await unchanged(settings, service.archive_years(settings, date(2013, 1, 1)), members) == [2012]
    kept = {name for name in await partitions(settings, "ledger_entry") if name < "ledger_entry_2013"}
    assert kept == {"ledger_entry_2011", "ledger_entry_2012"}
    assert await shape(settings, "ledger_entry_2011") == await shape(settings, "ledger_entry_default")
    assert await rows_of(settings, "ledger_entry_2011") == 5 * 12 * 4
    assert await service.make_partitions(date(2011, 1, 1), 24) == 0  # the years have their tables
    assert await findings(settings) == []
    async with connected(settings, "huiyuan_owner") as owner:
        with pytest.raises(asyncpg.RestrictViolationError, match="history is immutable"):
            await owner.execute("DELETE FROM ledger_entry_2011")


async def test_the_present_year_is_never_packed(settings, database):
    assert [
        year for year in await service.archive_years(settings, date(2999, 1, 1)) if year >= datetime.now(UTC).year
    ] == []


async def test_an_archive_that_is_killed_has_done_nothing_and_is_done_again(settings, database):
    members = await two_years(settings, 2005)
    before = await partitions(settings, "ledger_entry")
    async with connected(settings, "huiyuan_app") as reader, connected(settings, "postgres") as postgres:
        await reader.execute("BEGIN")
        await reader.fetch("SELECT count(*) FROM ledger_entry")  # holds up the change of places
        archiving = asyncio.create_task(service.archive_years(settings, date(2007, 1, 1)))
        await postgres.execute("SELECT pg_terminate_backend($1, 10000)", await _waits_for_the_change(postgres))
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
            await archiving
    assert await partitions(settings, "ledger_entry") == before

    assert await unchanged(settings, service.archive_years(settings, date(2007, 1, 1)), members) == [2005, 2006]
    assert await findings(settings) == []


async def test_a_packed_year_lies_in_the_tablespace_that_the_settings_name(settings, database):
    members = await two_years(settings, 2001)
    name = f"cold_{uuid.uuid4().hex[:8]}"
    async with connected(settings, "postgres") as postgres:
        await postgres.execute("SET allow_in_place_tablespaces = on")
        await postgres.execute(f"CREATE TABLESPACE {name} LOCATION ''")
        await postgres.execute(f"GRANT CREATE ON TABLESPACE {name} TO huiyuan_owner")
    cold = msgspec.structs.replace(settings, archive_tablespace=name)

    assert await unchanged(settings, service.archive_years(cold, date(2002, 1, 1)), members) == [2001]

    async with connected(settings, "postgres") as postgres:
        found = await postgres.fetch(
            "SELECT relname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE t.spcname = $1", name
        )
    names = {row["relname"] for row in found}
    assert {"ledger_entry_2001", "ledger_entry_2001_pkey", "ledger_entry_2001_member_id_kind_ref_version_idx"} < names


async def _waits_for_the_change(postgres: asyncpg.Connection) -> int:
    """The process that has packed a year and waits for the moment to put it in its months' place."""
    async with asyncio.timeout(60):
        while True:
            pid: int | None = await postgres.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE '%ledger_archive_year%' AND pid <> pg_backend_pid()"
                " AND wait_event = 'PgSleep'"
            )
            if pid:
                return pid
