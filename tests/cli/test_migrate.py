"""Migrations and rights, on a database of their own."""

from __future__ import annotations

import asyncpg
import pytest

from backend.cli.migrate import migrate
from backend.kernel import db, migrations
from backend.kernel.config import Settings, SettingsError


@pytest.fixture
async def app_role(settings: Settings):
    """A connection as the application's role."""
    connection = await asyncpg.connect(**db.connect_args(settings.database_url))
    yield connection
    await connection.close()


async def test_a_migrated_database_lacks_nothing(settings, app_role):
    assert await migrations.missing(app_role.fetch) == []
    assert await migrate(settings) == []


async def test_the_application_role_writes_no_ledger_table(app_role):
    rows = await app_role.fetch(
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum = 1"
        " WHERE relkind IN ('r', 'p') AND relname LIKE 'ledger\\_%'"
    )
    tables = {row["relname"]: row["attname"] for row in rows}
    assert "ledger_entry" in tables

    for table, column in tables.items():
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}", f"TRUNCATE {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app_role.execute(statement)


async def test_the_application_role_writes_the_other_tables_but_not_the_record_of_migrations(app_role):
    await app_role.execute("DELETE FROM outbox")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_role.execute("DELETE FROM tortoise_migrations")


async def test_the_application_role_cannot_change_the_schema(app_role):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_role.execute("CREATE TABLE mine (id int)")


async def test_an_unknown_target_is_named(settings):
    with pytest.raises(SettingsError, match="where app is one of ledger, "):
        await migrate(settings, to="nothing.0001_initial")
    with pytest.raises(SettingsError, match="this release has no such migration"):
        await migrate(settings, to="ledger.0099_later")
