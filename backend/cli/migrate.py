"""Bring the schema up to date: Tortoise's migrations, the doors' functions, the application role's rights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

from backend.kernel import clock, db, migrations, pooling
from backend.kernel.config import Settings, SettingsError
from backend.kernel.pooling import Pooling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

Progress = Callable[[str], None]

WAITING = "waiting: another process migrates this database"

_LOCK = 7_305_201_611  # any number; the same in every release, so that two deployments migrate one after the other
_PARTITION_MONTHS = 4  # from last month to the month after next; the worker makes later ones
_OWN_TABLES = ("tortoise_migrations", "schema_sql")
_DOORS = ("backend.ledger", "backend.stock")  # each with functions in sql/ that alone write its books
_ADDED_TO = ("auth_audit",)  # rows are added and read, never changed
_BEHIND_DOORS = ("stock_level", "stock_movement", "stock_reservation")  # besides all that is called ledger_…

_SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS schema_sql (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL
)"""

# Everything but the books behind doors and the record of migrations, which the application only reads.
_GRANTS = """
DO $$
DECLARE
    v_role text := current_setting('huiyuan.app_role');
    v_name text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', v_role);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', v_role);
    FOR v_name IN SELECT format('%I', relname) FROM pg_class
                   WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
                     AND relname NOT LIKE 'ledger\\_%' AND relname <> ALL (string_to_array($names$, ',')) LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', v_name, v_role);
    END LOOP;
    FOR v_name IN SELECT format('%I', relname) FROM pg_class
                   WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                     AND (relname LIKE 'ledger\\_%' OR relname = ANY (string_to_array($names$, ','))) LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', v_name, v_role);
        EXECUTE format('GRANT SELECT ON %s TO %I', v_name, v_role);
    END LOOP;
    FOR v_name IN SELECT format('%I', relname) FROM pg_class
                   WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                     AND relname = ANY (string_to_array($added$, ',')) LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %I', v_name, v_role);
    END LOOP;
END $$""".replace("$names$", "'" + ",".join((*_OWN_TABLES, *_BEHIND_DOORS)) + "'").replace(
    "$added$", "'" + ",".join(_ADDED_TO) + "'"
)


def _silent(_: str) -> None:
    return None


async def migrate(settings: Settings, progress: Progress = _silent, *, to: str | None = None) -> list[str]:
    """Apply what is missing and return what was done, one line each; safe to run at any time and by many at once.

    Args:
        settings: ``migrate_database_url`` is the owner of the schema, ``database_url`` names the role that gets rights.
        progress: told each step as it begins.
        to: ``app.name`` migrates that app up or down to that migration, ``app.zero`` takes all of its tables away.
    """
    if not settings.migrate_database_url:
        raise SettingsError("HUIYUAN_MIGRATE_DATABASE_URL: is required here (PostgreSQL, as the owner of the schema)")
    done: list[str] = []

    def say(text: str) -> None:
        done.append(text)
        progress(text)

    async with _alone(settings, progress) as connection:
        await _run_migrations(settings, say, to)
        if to is None:
            role = await _application_role(connection, settings)
            await _apply_functions(connection, role, say, force=bool(done))
            await _make_partitions(connection)
    return done


@asynccontextmanager
async def _alone(settings: Settings, progress: Progress) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner that holds the migration lock; waits while another one migrates."""
    import asyncpg

    if await pooling.look(settings.migrate_database_url) is Pooling.TRANSACTION:
        raise SettingsError(
            "HUIYUAN_MIGRATE_DATABASE_URL: leads through a pooler in transaction mode, where nobody can hold the lock "
            "that keeps two migrations apart: name PostgreSQL itself"
        )
    connection = await asyncpg.connect(**db.connect_args(settings.migrate_database_url), timeout=10)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            progress(WAITING)
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield connection
    finally:
        await connection.close()


async def _run_migrations(settings: Settings, say: Progress, to: str | None) -> None:
    """Run Tortoise's executor ourselves: its ``migrate`` refuses apps that have migrations but no models."""
    from tortoise import Tortoise
    from tortoise.connection import get_connection
    from tortoise.context import TortoiseContext
    from tortoise.migrations.executor import MigrationTarget

    from .migration_executor import RecordingExecutor

    def report(event: str, app: str, name: str) -> None:
        if event == "apply_start":
            say(f"apply {app}.{name}")
        elif event == "rollback_start":
            say(f"take back {app}.{name}")

    targets = [_target(to)] if to else [(label, "__latest__") for label in db.APPS]
    apps = {label: {"migrations": f"{package}.migrations"} for label, package in db.APPS.items()}
    async with TortoiseContext():
        await Tortoise.init(config=db.tortoise_config(settings.migrate_database_url, settings), init_connections=False)
        try:
            executor = RecordingExecutor(get_connection("default"), apps)
            await executor.migrate([MigrationTarget(app, name) for app, name in targets], progress=report)
        finally:
            await Tortoise.close_connections()


def _target(to: str) -> tuple[str, str]:
    app, _, name = to.partition(".")
    if app not in db.APPS or not name:
        raise SettingsError(f"--to {to}: give app.name, where app is one of {', '.join(db.APPS)}")
    if name == "zero":
        return app, "__first__"
    if to not in migrations.on_disk():
        raise SettingsError(f"--to {to}: this release has no such migration")
    return app, name


async def _application_role(connection: asyncpg.Connection, settings: Settings) -> str:
    role = str(db.connect_args(settings.database_url)["user"] or "")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
        raise SettingsError(f"HUIYUAN_DATABASE_URL: the database has no role {role!r}")
    return role


async def _apply_functions(connection: asyncpg.Connection, role: str, say: Progress, *, force: bool) -> None:
    """Apply the doors' SQL files in name order when one of them, the role or the tables changed; then grant."""
    scripts = {
        path.name: path.read_text("utf-8")
        for door in _DOORS
        for path in sorted((files(door) / "sql").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".sql")
    }
    wanted = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in scripts.items()}
    wanted["grants"] = hashlib.sha256(f"{role}\n{_GRANTS}".encode()).hexdigest()
    await connection.execute(_SCHEMA_SQL)
    known = {row["name"]: row["sha256"] for row in await connection.fetch("SELECT name, sha256 FROM schema_sql")}
    if known == wanted and not force:
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '10s'")
        await connection.execute("SELECT set_config('huiyuan.app_role', $1, true)", role)
        for name, script in scripts.items():
            if known.get(name) != wanted[name]:
                say(f"apply {name}")
            await connection.execute(script)
        await connection.execute(_GRANTS)
        await connection.execute("DELETE FROM schema_sql")
        await connection.executemany(
            "INSERT INTO schema_sql (name, sha256, applied_at) VALUES ($1, $2, $3)",
            [(name, digest, clock.now()) for name, digest in wanted.items()],
        )


async def _make_partitions(connection: asyncpg.Connection) -> None:
    """Months of entries and outbox ahead of time, so that nothing lands in the default partition."""
    first = (clock.now().date().replace(day=1) - timedelta(days=1)).replace(day=1)
    await connection.execute("SELECT ledger_make_partitions($1, $2)", first, _PARTITION_MONTHS)
