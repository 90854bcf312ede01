"""What the database can do by itself: pgbench posts the plans that the server would post for the same sales."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from backend.auth.types import Store, TerminalCaller
from backend.engines import postgres
from backend.kernel import clock, db, ids
from backend.kernel.config import Settings
from backend.kernel.http import Idempotency
from backend.ledger.plans import Guard, encode
from backend.ledger.service import device_mark
from backend.ledger.types import Snapshot
from backend.pos.commands import pricing, sales
from backend.pos.commands.identify import Customer
from backend.pos.plans import CODE_USED
from backend.pos.schemas import SaleIn
from backend.pos.types import Line

from .population import BONUS_FEN, POINTS, PRINCIPAL_FEN, ZONE, Population

CLIENTS = (8, 16, 32)
THREADS = 2
BATCH = 5000

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

_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([\d.]+) ms", re.MULTILINE)


class Floor(msgspec.Struct, kw_only=True):
    """One run of pgbench; ``cpu_s`` is its own, ``postgres_cpu_s`` the database's."""

    clients: int
    posted: int
    per_second: float
    latency_ms: float
    cpu_s: float
    postgres_cpu_s: float = 0.0

    @property
    def cost_us(self) -> float:
        """Processor time of one plan, both sides together."""
        return (self.cpu_s + self.postgres_cpu_s) / max(1, self.posted) * 1e6


class PlansRanOut(Exception):
    """pgbench was quicker than expected: more plans are needed for a run of that length."""


class PlanMaker:
    """The server's plans without the server: the till's own pricing and planning, on what was loaded."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._last_step = 0
        self._stores = {till.store_id: Store(till.store_id, till.store_id, ZONE) for till in population.tills}
        self._lines = [
            [Line(line.sku, line.qty, line.unit_price_fen, line.discount_fen, 10_000) for line in basket.lines]
            for basket in population.baskets
        ]
        self._stored = (("principal", PRINCIPAL_FEN), ("bonus", BONUS_FEN))

    def plan(self, run: str, number: int, slot: int, step: int, now: datetime) -> tuple[int, str]:
        """The member and the encoded plan of one sale."""
        people = self._population
        member = people.member(number)
        till = people.till_of(member, slot)
        which = people.basket_number(number, slot)
        snapshot = Snapshot(member.id, True, {"stored": PRINCIPAL_FEN + BONUS_FEN, "points": POINTS}, self._stored)
        tenders = people.baskets[which].tenders
        on = clock.local_date(now, ZONE)
        priced = pricing.price_for(member.card, snapshot, self._lines[which], tenders, on)
        unique = f"{run}-{number}-{slot}-{step}"
        device_id = people.mark(number, slot)
        customer = Customer(
            member.id, device_id, step, (Guard(device_mark(device_id), "above", step, CODE_USED),), suspect=False
        )
        plan, _ = sales.sale_plan(
            SaleIn(order_no=unique, lines=list(people.baskets[which].lines), cashier="7"),
            TerminalCaller(terminal_id=till.id, store_id=till.store_id, rate_key="", rate_per_minute=0),
            Idempotency(f"{unique}-{secrets.token_hex(4)}", secrets.token_bytes(32)),
            self._stores[till.store_id],
            customer,
            priced,
            sale_id=ids.new_document_id("S", member.id),
            waits=False,
            now=now,
        )
        return member.id, encode(plan)

    def plans(self, run: str, members: int, count: int) -> Iterator[tuple[int, str]]:
        """So many plans, in the order of the server's requests; marks go on from the run before."""
        now, first = clock.now(), self._last_step + 1
        for position, (number, slot, lap) in enumerate(self._population.visits(members, count)):
            self._last_step = first + lap
            yield self.plan(run, number, slot, first + lap, now + timedelta(microseconds=position))


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


def pgbench(settings: Settings, script: Path, *, clients: int, seconds: float) -> Floor:
    """Run pgbench as the application's role for whole seconds; a refused plan makes it fail."""
    script.write_text(_SCRIPT)
    where = db.connect_args(settings.database_url)
    command = [str(postgres.programs() / "pgbench"), "-n", "-M", "prepared", "-j", str(THREADS), "-c", str(clients)]
    command += ["-T", str(max(1, round(seconds))), "-f", str(script), "-h", str(where["host"])]
    command += ["-p", str(where["port"]), "-U", str(where["user"]), str(where["database"])]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=seconds + 120)
    after = os.times()
    tps, count, failed, latency = (pattern.search(done.stdout) for pattern in (_TPS, _DONE, _FAILED, _LATENCY))
    if done.returncode != 0 or not (tps and count and latency) or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench failed:\n{done.stdout.strip()}\n{done.stderr.strip()[-2000:]}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Floor(
        clients=clients, posted=int(count[1]), per_second=float(tps[1]), latency_ms=float(latency[1]), cpu_s=used
    )


async def measure(settings: Settings, script: Path, *, clients: int, seconds: float, filled: int) -> Floor:
    """A run that is checked against the books: every transaction counted posted a transfer."""
    before = await transfers(settings)
    floor = pgbench(settings, script, clients=clients, seconds=seconds)
    if await plans_used(settings) > filled:
        raise PlansRanOut
    if await transfers(settings) - before != floor.posted:
        raise RuntimeError("pgbench counted other transactions than the ledger posted")
    return floor
