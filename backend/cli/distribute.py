"""``huiyuan distribute``: print, or run, the statements that lay the schema out on a Citus cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from backend.kernel import db
from backend.kernel.config import Settings, SettingsError

from . import distribution
from .distribution import Catalogue, Function, Step, Table
from .maintenance import settings_for

if TYPE_CHECKING:
    import asyncpg

_TABLES = """
SELECT c.relname AS name, c.relpersistence = 'u' AS unlogged,
       (SELECT count(*) FROM pg_inherits WHERE inhparent = c.oid) AS partitions,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attidentity <> '' ORDER BY a.attnum) AS identity,
       ARRAY(SELECT t.tgname::text FROM pg_trigger t
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY t.tgname) AS triggers,
       ARRAY(SELECT DISTINCT r.relname::text FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
              WHERE f.conrelid = c.oid AND f.contype = 'f' AND r.oid <> c.oid ORDER BY 1) AS refers_to
  FROM pg_class c
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
 ORDER BY c.relname"""
# A partition may have a unique key of its own, which counts as its table's; exclusion constraints are keys too.
_UNIQUE = """
SELECT DISTINCT r.relname AS name,
       ARRAY(SELECT coalesce(a.attname::text, 'an expression')
               FROM unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, place)
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
              WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
 WHERE (i.indisunique OR i.indisexclusion) AND c.relnamespace = 'public'::regnamespace"""
_FUNCTIONS = """
SELECT p.proname AS name, p.oid::regprocedure::text AS signature,
       split_part(pg_get_function_arguments(p.oid), ',', 1) AS first,
       ARRAY(SELECT DISTINCT f.proname::text FROM pg_proc f
              WHERE f.pronamespace = p.pronamespace AND f.proname LIKE 'ledger\\_%'
                AND p.prosrc ~ ('\\m' || f.proname || '\\s*[(]')) AS calls
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'ledger\\_%' ORDER BY 2"""


async def read(connection: asyncpg.Connection) -> Catalogue:
    """The schema as it stands, and what there is of Citus."""
    unique: dict[str, list[tuple[str, ...]]] = {}
    for row in await connection.fetch(_UNIQUE):
        unique.setdefault(row["name"], []).append(tuple(row["columns"]))
    tables = [
        Table(
            name=row["name"],
            unlogged=row["unlogged"],
            partitions=row["partitions"],
            unique=tuple(sorted(unique.get(row["name"], ()))),
            **{name: tuple(row[name]) for name in ("columns", "identity", "triggers", "refers_to")},
        )
        for row in await connection.fetch(_TABLES)
    ]
    functions = [
        Function(row["name"], row["signature"], row["first"], tuple(row["calls"]))
        for row in await connection.fetch(_FUNCTIONS)
    ]
    citus = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'citus'")
    nodes = (
        await connection.fetch("SELECT groupid FROM pg_dist_node WHERE noderole = 'primary' AND isactive")
        if citus
        else []
    )
    return Catalogue(
        database=await connection.fetchval("SELECT current_database()"),
        tables=tuple(tables),
        functions=tuple(functions),
        citus=citus,
        workers=sum(row["groupid"] != 0 for row in nodes),
        coordinator_known=any(row["groupid"] == 0 for row in nodes),
        prepared_transactions=int(await connection.fetchval("SHOW max_prepared_transactions")),
    )


def run(data: Path | None, *, dry_run: bool, shards: int) -> int:
    """Print the statements, and run them unless told otherwise; 1 where the schema cannot be distributed as it is."""
    with settings_for(data) as settings:
        return asyncio.run(_run(settings, dry_run=dry_run, shards=shards))


async def _run(settings: Settings, *, dry_run: bool, shards: int) -> int:
    import asyncpg

    url = settings.migrate_database_url
    if not url:
        raise SettingsError("HUIYUAN_MIGRATE_DATABASE_URL: is required here (PostgreSQL, as the owner of the schema)")
    connection = await asyncpg.connect(**db.connect_args(url), timeout=10, statement_cache_size=0)
    try:
        found = await read(connection)
        wrong = distribution.mistakes(found)
        for mistake in wrong:
            typer.echo(f"-- ✗ {mistake}")
        if wrong:
            return 1
        lacking = distribution.lacking(found)
        if lacking and not dry_run:
            raise SettingsError("nothing was distributed:\n  " + "\n  ".join(lacking))
        steps = distribution.steps(found, shards=shards)
        if dry_run:
            print_script(found, lacking, steps)
        else:
            await apply(connection, steps)
    finally:
        await connection.close()
    return 0


def print_script(found: Catalogue, lacking: list[str], steps: list[Step]) -> None:
    """A script for psql; everything that is not a statement is a comment."""
    typer.echo(f"-- {len(found.tables)} tables and {len(found.functions)} functions, each in its class.")
    typer.echo("-- Run as the owner of the schema, on the coordinator, with the servers stopped. See docs/scaling.md.")
    for what in lacking:
        typer.echo(f"-- before: {what}")
    for number, step in enumerate(steps, start=1):
        typer.echo(f"\n-- {number}. {step.title}")
        for note in step.notes:
            typer.echo(f"--    {note}")
        for statement in step.statements:
            typer.echo(f"{statement};")


async def apply(connection: asyncpg.Connection, steps: list[Step]) -> None:
    """Run the statements one by one, each its own transaction, and say each; the first that fails ends it."""
    for step in steps:
        typer.echo(step.title)
        for statement in step.statements:
            typer.echo(f"  {statement}")
            await connection.execute(statement)
