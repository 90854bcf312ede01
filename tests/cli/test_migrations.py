"""Every migration goes up, down to nothing and up again, and what is up is what the models say."""

from __future__ import annotations

import pkgutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest_asyncio
from tortoise import Tortoise
from tortoise.context import TortoiseContext
from tortoise.migrations import operations as ops
from tortoise.migrations.autodetector import MigrationAutodetector

from backend.cli.migrate import migrate
from backend.engines import datadir
from backend.kernel import db, migrations
from backend.kernel.config import Settings

# What a domain's relations, indexes and constraints begin with, where no other's begin so.
PREFIXES = {"audience": "audience_", "auth": "auth_", "contact": "contact_", "mall": "mall_", "members": "member(_|$)"}

ROOT = Path(__file__).parents[2]

OWN = {"tortoise_migrations", "tortoise_migrations_id_seq", "schema_sql"}

_CATALOG = {
    "columns": "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,"
    " pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, pg_get_function_arguments(oid), md5(prosrc), prosecdef, proacl::text"
    " FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "rights": "SELECT relname, relkind::text, relpersistence::text, relacl::text FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v') AND NOT relispartition",
}


@pytest_asyncio.fixture(loop_scope="session")
async def empty(engines) -> AsyncIterator[Settings]:
    """The settings of a database in which nothing is."""
    name = f"migrate_{uuid.uuid4().hex[:12]}"
    engines.postgres.sql(f"CREATE DATABASE {name} OWNER huiyuan_owner")
    yield datadir.demo_settings(engines.data, engines.urls(name), "http://127.0.0.1:1")
    engines.postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def owner_of(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner of the schema."""
    connection = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to this module's database, which is migrated."""
    async with owner_of(settings) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def owner_of_empty(empty: Settings) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the database in which nothing is."""
    async with owner_of(empty) as connection:
        yield connection


async def catalog(owner: asyncpg.Connection) -> dict[str, list[tuple]]:
    """Everything in the schema that a migration could have made."""
    return {name: sorted(map(tuple, await owner.fetch(sql)), key=repr) for name, sql in _CATALOG.items()}


async def tables(owner: asyncpg.Connection) -> set[str]:
    rows = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'S', 'v', 'm')"
    )
    return {row[0] for row in rows}


async def named(owner: asyncpg.Connection, prefix: str) -> set[str]:
    """Relations, indexes and constraints whose name, or whose table's, begins so."""
    rows = await owner.fetch(
        "SELECT relname::text FROM pg_class WHERE relname ~ $1 AND relnamespace = 'public'::regnamespace"
        " UNION SELECT conname::text FROM pg_constraint WHERE conrelid::regclass::text ~ $1",
        f"^{prefix}",
    )
    return {row[0] for row in rows}


async def test_all_of_them_go_up_down_and_up_again(empty, owner_of_empty):
    owner = owner_of_empty
    await migrate(empty)
    first = await catalog(owner)
    lacking = await migrations.missing(owner.fetch)

    for label in reversed(db.APPS):
        taken = await migrate(empty, to=f"{label}.zero")
        assert taken, label
    left = await tables(owner)
    types = await owner.fetch(
        "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'"
    )
    again = await migrate(empty)

    assert lacking == []
    assert left == OWN
    assert types == []
    assert len([line for line in again if line.startswith("apply ") and not line.endswith(".sql")]) == len(
        migrations.on_disk()
    )
    second = await catalog(owner)
    for part in first:
        assert second[part] == first[part], part


async def test_a_domain_whose_history_forks_comes_up_from_each_of_its_states(settings, owner):
    """Of letters two migrations follow one; a database may have either, both, or any state before and after."""
    before = await catalog(owner)
    names = [path.stem for path in sorted((ROOT / "backend/messages/migrations").glob("0*.py"))]
    forked = [name for name in names if name.startswith("0007_")]

    states = [[name] for name in names] + [["0006_labels", one] for one in forked] + [["0006_labels", *forked]]
    for state in states:
        for name in state:
            await migrate(settings, to=f"messages.{name}")
        lacking = await migrations.missing(owner.fetch)
        await migrate(settings)

        assert len(forked) == 2
        assert bool(lacking) is (state != [names[-1]]), state
        after = await catalog(owner)
        for part in before:
            assert after[part] == before[part], (state, part)


async def test_each_goes_down_by_itself_and_up_again(settings, owner):
    before = await catalog(owner)
    all_tables = await tables(owner)

    for label in db.APPS:
        prefix = PREFIXES.get(label, f"{label} has none")
        own = await named(owner, prefix)
        down = await migrate(settings, to=f"{label}.zero")
        without, own_left = await tables(owner), await named(owner, prefix)
        await migrate(settings)

        assert all(line.startswith("take back ") for line in down), label
        assert without < all_tables, label
        assert bool(own) is (label in PREFIXES), label
        assert own_left == set(), label
        after = await catalog(owner)
        for part in before:
            assert after[part] == before[part], (label, part)


async def test_the_models_ask_for_no_further_migration(settings):
    config = db.tortoise_config(settings.migrate_database_url, settings)
    async with TortoiseContext() as context:
        await Tortoise.init(config=config, init_connections=False)
        assert context.apps is not None
        changes = await MigrationAutodetector(context.apps, config["apps"]).changes()

    assert [(writer.app_label, writer.operations) for writer in changes] == []


async def test_what_the_migrations_made_is_what_the_models_say(settings, owner):
    """Also where a migration speaks SQL, of which the models know nothing."""
    config = db.tortoise_config(settings.migrate_database_url, settings)
    async with TortoiseContext() as context:
        await Tortoise.init(config=config, init_connections=False)
        models = [model for app in context.apps.values() for model in app.values()]
        wanted = {
            model._meta.db_table: {
                column: model._meta.fields_map[name].null for name, column in model._meta.fields_db_projection.items()
            }
            for model in models
        }

    rows = await owner.fetch(
        "SELECT attrelid::regclass::text, attname, NOT attnotnull FROM pg_attribute WHERE attnum > 0"
    )
    found: dict[str, dict[str, bool]] = {}
    for table, column, nullable in rows:
        found.setdefault(table, {})[column] = nullable

    assert wanted
    for table, columns in wanted.items():
        assert found[table] == columns, table


async def test_foreign_keys_say_what_happens_to_them(owner):
    """None deletes by itself: the ORM's default is CASCADE."""
    rows = await owner.fetch(
        "SELECT conrelid::regclass::text AS name, confdeltype::text AS kind FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        " AND conrelid::regclass::text NOT LIKE 'procrastinate%'"
    )

    assert rows
    assert {row["kind"] for row in rows} <= {"r", "a"}, rows


def test_a_column_that_is_added_has_a_value_for_the_rows_that_are_there():
    """On empty tables, as tests have them, one without goes up; at a chain that has rows the upgrade would fail."""
    lacking, seen = [], 0
    for package in db.APPS.values():
        folder = Path(str(import_module(f"{package}.migrations").__file__)).parent
        for module in pkgutil.iter_modules([str(folder)]):
            made = import_module(f"{package}.migrations.{module.name}").Migration
            for added in (one for one in made.operations if isinstance(one, ops.AddField)):
                seen += 1
                if not added.field.null and not added.field.has_db_default():
                    lacking.append(f"{package}.{module.name}: {added.name}")

    assert seen
    assert lacking == []
