"""What the database can do by itself: pgbench posts the plans that the server would post for the same sales."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
import msgspec

from backend.engines import postgres
from backend.kernel import db
from backend.kernel.config import Settings

from .generator import percentiles
from .plans import PlanMaker

CLIENTS = (8, 16, 32)
THREADS = 2
BATCH = 5000
PGBENCH_LIMIT_S = 180

# Plans lie uncompressed, as they would come from a client: ledger_post reads one many times over.
_TABLE = """
DROP TABLE IF EXISTS bench_plan;
DROP SEQUENCE IF EXISTS bench_seq;
CREATE UNLOGGED TABLE bench_plan (id bigint PRIMARY KEY, member_id bigint NOT NULL, plan jsonb STORAGE PLAIN NOT NULL);
CREATE SEQUENCE bench_seq CACHE 1;
GRANT SELECT ON bench_plan TO PUBLIC;
GRANT USAGE ON SEQUENCE bench_seq TO PUBLIC;
"""
# The sub-select is worked out once: nextval in the WHERE itself would be called for every row of the table.
_SCRIPT = "SELECT ledger_post(member_id, plan) FROM bench_plan WHERE id = (SELECT nextval('bench_seq'));\n"

LOG_FILE_BYTES = 16 * 2**20

FILL_LOG = """
DO $$ BEGIN
    FOR nth IN 1..{files} LOOP
        PERFORM pg_logical_emit_message(false, 'bench', 'next file');
        PERFORM pg_switch_wal();
    END LOOP;
END $$;
CHECKPOINT;
"""
"""For a superuser: begins so many files of the log, and keeps them to be used again."""

_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([\d.]+) ms", re.MULTILINE)


class Floor(msgspec.Struct, kw_only=True):
    """One run of pgbench; ``cpu_s`` is its own, ``postgres_cpu_s`` the database's, ``others`` the share of the machine
    that other programs took.

    ``latencies_ms`` of a paced run, at the 50th, 95th and 99th percentile and the longest: from the scheduled moment.
    """

    clients: int
    posted: int
    per_second: float
    latency_ms: float
    cpu_s: float
    postgres_cpu_s: float = 0.0
    others: float = 0.0
    latencies_ms: tuple[float, float, float, float] | None = None

    @property
    def cost_us(self) -> float:
        """Processor time of one plan, both sides together."""
        return (self.cpu_s + self.postgres_cpu_s) / max(1, self.posted) * 1e6


class PlansRanOut(Exception):
    """pgbench was quicker than expected: more plans are needed for a run of that length."""


async def fill(
    settings: Settings, maker: PlanMaker, run: str, *, members: int, count: int, say: Callable[[str], None]
) -> None:
    """Put the plans of one run into the table, in place of those of the run before."""
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        await owner.execute(_TABLE)
        made = enumerate(maker.plans(run, members, count), 1)
        for start in range(0, count, BATCH):
            records = [(number, *plan) for number, plan in (next(made) for _ in range(min(BATCH, count - start)))]
            await owner.copy_records_to_table("bench_plan", records=records, columns=("id", "member_id", "plan"))
            say(f"{start + len(records)} of {count} plans")
        await owner.execute("VACUUM (ANALYZE) bench_plan")
    finally:
        await owner.close()


async def plans_used(settings: Settings) -> int:
    """How many plans were asked for since the table was filled."""
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        return int(await owner.fetchval("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM bench_seq"))
    finally:
        await owner.close()


async def transfers(settings: Settings) -> int:
    """How many transfers the ledger holds."""
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        return int(await owner.fetchval("SELECT coalesce(sum(seq), 0) FROM ledger_head"))
    finally:
        await owner.close()


def pgbench(settings: Settings, script: Path, sql: str, *, clients: int, length: Sequence[str]) -> Floor:
    """Run pgbench as the application's role; a statement that fails makes it fail.

    Args:
        script: the file to put ``sql`` into.
        length: ``-T`` and whole seconds, or ``-t`` and how often each client does it.
    """
    script.write_text(sql)
    where = db.connect_args(settings.database_url)
    command = [str(postgres.programs() / "pgbench"), "-n", "-M", "prepared", "-j", str(THREADS), "-c", str(clients)]
    command += [*length, "-f", str(script), "-h", str(where["host"])]
    command += ["-p", str(where["port"]), "-U", str(where["user"]), str(where["database"])]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=PGBENCH_LIMIT_S)
    after = os.times()
    tps, count, failed, latency = (pattern.search(done.stdout) for pattern in (_TPS, _DONE, _FAILED, _LATENCY))
    if done.returncode != 0 or not (tps and count and latency) or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench failed:\n{done.stdout.strip()}\n{done.stderr.strip()[-2000:]}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Floor(
        clients=clients, posted=int(count[1]), per_second=float(tps[1]), latency_ms=float(latency[1]), cpu_s=used
    )


async def measure(
    settings: Settings,
    script: Path,
    *,
    clients: int,
    seconds: float,
    filled: int,
    rate: float = 0.0,
    uncounted_s: float = 0.0,
) -> Floor:
    """A run that is checked against the books: every transaction counted posted a transfer.

    With ``rate`` so many a second are begun, at random moments, and every one's latency is kept that is due later than
    ``uncounted_s``.
    """
    before = await transfers(settings)
    length = ["-T", str(max(1, round(seconds)))]
    log = script.with_name("pgbench-log")
    if rate:
        length += ["--rate", f"{rate:.2f}", "--log", "--log-prefix", str(log)]
    floor = pgbench(settings, script, _SCRIPT, clients=clients, length=length)
    if rate:
        floor.latencies_ms = percentiles(_logged(log, uncounted_s))
    if await plans_used(settings) > filled:
        raise PlansRanOut
    if await transfers(settings) - before != floor.posted:
        raise RuntimeError("pgbench counted other transactions than the ledger posted")
    return floor


def _logged(prefix: Path, uncounted_s: float) -> list[float]:
    """The seconds that each transaction took, from the moment it was due; the log is gone afterwards."""
    found: list[tuple[float, float]] = []
    for file in prefix.parent.glob(f"{prefix.name}.*"):  # one of every thread
        for line in file.read_text().splitlines():
            _client, _nth, took_us, _script, ended_s, ended_us, *_ = map(int, line.split())
            found.append((ended_s + (ended_us - took_us) / 1e6, took_us / 1e6))
        file.unlink()
    from_ = min((due for due, _ in found), default=0.0) + uncounted_s
    return [took for due, took in found if due >= from_]
