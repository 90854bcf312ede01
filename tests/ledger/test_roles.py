"""Who may touch the books: the application only through the door, and history nobody. Shown with raw SQL."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from backend.ledger import service
from backend.ledger.plans import encode
from tests.support.books import connected, fingerprint, open_books, plan, points, stored

HISTORY = ("ledger_transfer", "ledger_entry", "ledger_lot_move", "ledger_key")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def some_history(database):
    member_id = await open_books()
    await service.post(plan(member_id, *stored(500), *points(20)))
    await service.post(plan(member_id, *stored(-100)))
    return member_id


async def ledger_tables(connection: asyncpg.Connection) -> list[str]:
    return [
        row[0]
        for row in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'ledger\\_%'"
        )
    ]


async def test_the_application_writes_no_table_and_no_partition_of_the_ledger(settings):
    before = await fingerprint(settings)
    async with connected(settings, "huiyuan_app") as app:
        tables = await ledger_tables(app)
        for table in tables:
            columns = await app.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0", table
            )
            for statement in (
                f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1",
                f"INSERT INTO {table} DEFAULT VALUES",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"DROP TABLE {table}",
                f"SELECT 1 FROM {table} FOR UPDATE",
                f"COPY {table} FROM '/dev/null'",
                *(f"UPDATE {table} SET {row[0]} = DEFAULT" for row in columns),
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(statement)

    assert {"ledger_head", "ledger_account", "ledger_entry", "ledger_entry_default", "ledger_key_home"} <= set(tables)
    assert await fingerprint(settings) == before


async def test_the_application_calls_the_first_door_and_not_the_second(settings, member_id):
    async with connected(settings, "huiyuan_app") as app:
        await app.execute("SELECT ledger_post($1, $2::text::jsonb)", member_id, encode(plan(member_id, *stored(1))))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(
                "SELECT ledger_load($1::bigint[], $2::text[]::jsonb[])",
                [member_id],
                [encode(plan(member_id, *stored(1)))],
            )


async def test_the_application_may_execute_the_door_s_functions_and_no_other_that_writes(settings):
    async with connected(settings, "huiyuan_app") as app:
        rows = await app.fetch(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'ledger\\_%' AND prosecdef"
            " AND has_function_privilege('huiyuan_app', oid, 'EXECUTE')"
        )

    assert {row[0] for row in rows} == {
        "ledger_post",
        "ledger_post_batch",
        "ledger_set_merged",
        "ledger_carry_guards",
        "ledger_carry_keys",
        "ledger_forget",
        "ledger_open_member",
        "ledger_set_active",
        "ledger_hold",
        "ledger_raise_guard",
        "ledger_sweep_guards",
        "ledger_make_partitions",
        "ledger_drop_empty_outbox",
        "ledger_archive_year",
        "ledger_roll_up",
    }


async def test_nobody_else_may_execute_what_runs_as_the_owner(settings):
    async with connected(settings, "huiyuan_owner") as owner:
        rows = await owner.fetch(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'ledger\\_%' AND prosecdef"
            " AND has_function_privilege('public', oid, 'EXECUTE')"
        )

    assert [row[0] for row in rows] == []


async def test_functions_that_run_as_the_owner_have_a_fixed_search_path(settings):
    async with connected(settings, "huiyuan_app") as app:
        rows = await app.fetch(
            "SELECT proname, proconfig, proowner::regrole::text AS owner FROM pg_proc"
            " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        )

    assert rows
    for row in rows:
        assert row["proconfig"][0] == "search_path=pg_catalog, public, pg_temp", row["proname"]
        assert row["owner"] == "huiyuan_owner"


async def test_a_table_of_the_application_s_own_does_not_get_between_the_door_and_the_books(settings, member_id):
    """A temporary table of the same name comes last in the door's search path."""
    async with connected(settings, "huiyuan_app") as app:
        await app.execute("CREATE TEMP TABLE ledger_account (LIKE public.ledger_account)")
        await app.execute("SELECT ledger_post($1, $2::text::jsonb)", member_id, encode(plan(member_id, *stored(7))))

        shadow = await app.fetchval("SELECT count(*) FROM pg_temp.ledger_account")
        real = await app.fetchval("SELECT balance FROM public.ledger_account WHERE member_id = $1", member_id)

    assert (shadow, real) == (0, 7)


@pytest.mark.parametrize("role", ["huiyuan_owner", "postgres"])
@pytest.mark.parametrize("table", HISTORY)
async def test_history_is_immutable_for_everybody(settings, role, table):
    before = await fingerprint(settings)
    async with connected(settings, role) as connection:
        for statement in (f"UPDATE {table} SET member_id = member_id", f"DELETE FROM {table}"):
            with pytest.raises(asyncpg.RestrictViolationError, match="history is immutable"):
                await connection.execute(statement)

    assert await fingerprint(settings) == before


@pytest.mark.parametrize("table", HISTORY)
async def test_history_cannot_be_emptied_by_its_owner(settings, table):
    async with connected(settings, "huiyuan_owner") as owner:
        with pytest.raises(asyncpg.RestrictViolationError, match="history is immutable"):
            await owner.execute(f"TRUNCATE {table}")


async def test_no_balance_and_no_lot_goes_below_zero_even_for_the_owner(settings, some_history):
    async with connected(settings, "huiyuan_owner") as owner:
        for statement in (
            "UPDATE ledger_account SET balance = -1",
            "UPDATE ledger_lot SET remaining = -1",
            "UPDATE ledger_lot SET remaining = issued + 1",
            "UPDATE ledger_lot SET open = NOT open",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await owner.execute(statement)
