"""The floor of any path: pgbench runs the path's own statements on the same engine and data, without the program."""

from __future__ import annotations

import re

import asyncpg

from backend.kernel import db

from . import floor as floors
from . import paths
from .paths import Ground
from .system import Say, System

BATCH = 2000
CLIENTS = 16

_PARAMETER = re.compile(r"\$(\d+)")


async def fill(system: System, floor: paths.Floor, ground: Ground, first: int, count: int, say: Say) -> None:
    """Put the arguments of calls number ``first`` and following into a table, in place of what was there."""
    columns = [f"a{position}" for position in range(1, len(floor.types) + 1)]
    owner = await asyncpg.connect(**db.connect_args(system.settings.migrate_database_url))
    try:
        await owner.execute(_table(floor))
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            records = [(number + 1, *floor.row(ground, first + number)) for number in numbers]
            await owner.copy_records_to_table("bench_args", records=records, columns=("id", *columns))
            say(f"arguments of {numbers.stop} of {count} calls")
        await owner.execute("VACUUM (ANALYZE) bench_args")
    finally:
        await owner.close()


def measure(system: System, floor: paths.Floor, *, seconds: float, filled: int) -> floors.Floor:
    """Run pgbench: for so long, or (where a row is good once, or ``seconds`` is 0) as many calls as there are rows."""
    clients = min(CLIENTS, filled)
    length = ("-t", str(filled // clients)) if floor.once or not seconds else ("-T", str(max(1, round(seconds))))
    before = system.processors()
    done = floors.pgbench(
        system.settings, system.scratch / "bench.sql", script(floor, filled), clients=clients, length=length
    )
    done.postgres_cpu_s = system.processors().since(before).postgres
    return done


def script(floor: paths.Floor, filled: int) -> str:
    """The statements for pgbench: each argument read from its row within the statement, so no trip is added."""
    if floor.once and len(floor.statements) > 1:
        raise ValueError("rows that are good once are taken by one statement")
    row = "(SELECT nextval('bench_call'))" if floor.once else ":n"
    lines = [] if floor.once else [f"\\set n random(1, {filled})"]
    for statement in floor.statements:
        sql = " ".join(_PARAMETER.sub(lambda match: _argument(floor, int(match[1])), statement).split())
        more = f", {sql[5:]}" if sql.startswith("WITH ") else f" {sql}"
        lines.append(f"WITH args AS MATERIALIZED (SELECT * FROM bench_args WHERE id = {row}){more};")  # noqa: S608  ours
    return "\n".join(lines) + "\n"


def _argument(floor: paths.Floor, position: int) -> str:
    # The cast keeps `= ANY($1)` a question about an array, not about the rows of a sub-select.
    return f"(SELECT a{position} FROM args)::{floor.types[position - 1]}"  # noqa: S608  numbers and types of ours


def _table(floor: paths.Floor) -> str:
    # Plans lie uncompressed, as they would come from a client: ledger_post reads one many times over.
    columns = ", ".join(
        f"a{position} {kind}{' STORAGE PLAIN' if kind == 'jsonb' else ''}"
        for position, kind in enumerate(floor.types, 1)
    )
    return f"""
        DROP TABLE IF EXISTS bench_args;
        DROP SEQUENCE IF EXISTS bench_call;
        CREATE UNLOGGED TABLE bench_args (id bigint PRIMARY KEY, {columns});
        CREATE SEQUENCE bench_call CACHE 1;
        GRANT SELECT ON bench_args TO PUBLIC;
        GRANT USAGE ON SEQUENCE bench_call TO PUBLIC;
    """
