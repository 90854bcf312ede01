"""``bench grow``: the same paths with few members and with many, on one database that is filled in between.

The members who buy and look are the same ones both times, and what they did before, too; around them the others come to
lie, in the same months, tables and indexes.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import asyncpg
import msgspec

from backend.kernel import clock, db
from backend.ledger.audit import audit

from . import load, paths
from .fill import Filled, Filler
from .generator import Order
from .history import ENTRIES_EACH, HEAVY, HEAVY_TRANSFERS, History
from .population import Population
from .runs import PREPARE_S_EACH, SPARE, Served, drive
from .system import Say, System

GOAL = 0.8
TRY_S = 2.0
GUESS_PER_S = 4000.0
FIRST_S = 25.0
FIRST_RUNS = 12
"""Runs of ``FIRST_S`` at most until everybody has come once: a code does not live for longer."""

_SIZES = """
SELECT coalesce(parent.relname, c.relname) AS name, sum(pg_table_size(c.oid))::bigint AS table_bytes,
       sum(pg_indexes_size(c.oid))::bigint AS index_bytes, sum(greatest(c.reltuples, 0))::bigint AS rows,
       count(*) AS parts
  FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
 GROUP BY 1 ORDER BY sum(pg_total_relation_size(c.oid)) DESC LIMIT 12"""

# Nothing of this is for a database that anybody needs: what is lost in a crash while filling is filled again.
_WHILE_FILLING = {"autovacuum": "off", "max_wal_size": "'16GB'", "checkpoint_timeout": "'1h'"}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; ``few`` members at first, ``audit_every`` n-th group of members is proven at the end."""

    members: int
    entries: int
    few: int
    seconds: float
    rounds: int
    connections: int
    audit_every: int = 1
    heavy_transfers: int = HEAVY_TRANSFERS


class Size(msgspec.Struct, frozen=True):
    """A table with all of its partitions."""

    name: str
    table_bytes: int
    index_bytes: int
    rows: int
    parts: int


class Stage(msgspec.Struct, kw_only=True):
    """So many members and entries, and the right answers a second of each path's runs.

    ``first`` has those of the runs before, where each member comes for the first time since the checkpoint.
    """

    members: int = 0
    entries: int = 0
    rates: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    failures: int = 0
    first_failure: str | None = None

    def rate(self, name: str) -> float:
        """The median of the runs."""
        return median(self.rates[name]) if self.rates.get(name) else 0.0


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    options: Options
    cpus: int
    workers: int
    few: Stage
    many: Stage
    filled: Filled
    sizes: list[Size] = []
    database_bytes: int = 0
    findings: int = 0
    audited: int = 0

    def ratio(self, name: str) -> float:
        """What many members leave of a path's rate."""
        return self.many.rate(name) / self.few.rate(name) if self.few.rate(name) else 0.0

    @property
    def failed(self) -> bool:
        """Whether anything was answered or booked wrong; a missed goal is no failure."""
        return bool(self.findings or self.few.failures or self.many.failures)


class Bench:
    """The benchmark on a running system."""

    def __init__(self, system: System, options: Options) -> None:
        self.system = system
        self._options = options
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)
        heavy = min(HEAVY, options.few) * options.heavy_transfers * ENTRIES_EACH
        self._history = History(
            self._population,
            clock.now(),
            entries=max(0.0, options.entries - heavy) / options.members,
            heavy_transfers=options.heavy_transfers,
        )
        self._asked: dict[str, int] = {}
        self._last_step = 0
        self._runs = 0

    async def load_few(self, say: Say) -> Filled:
        """The chain, and those who buy and look: with a past, phones and sessions."""
        settings, few = self.system.settings, self._options.few
        domains = [msgspec.structs.replace(domain, plans=None) for domain in paths.domains()]
        await load.load_chain(settings, self._population)
        filled = await Filler(settings, self._population, self._history, few, say).run(0, few)
        await load.load_members(settings, self._population, 0, few, say, domains=domains)
        return filled

    async def load_many(self, say: Say) -> Filled:
        """All the others, with a past."""
        filler = Filler(self.system.settings, self._population, self._history, self._options.few, say)
        return await filler.run(self._options.few, self._options.members)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Settings of PostgreSQL for filling, and the usual ones afterwards."""
        postgres = self.system.engines.postgres
        assert postgres is not None
        for name, value in _WHILE_FILLING.items():
            postgres.sql(f"ALTER SYSTEM SET {name} = {value};")
        postgres.sql("SELECT pg_reload_conf();")
        try:
            yield
        finally:
            for name in _WHILE_FILLING:
                postgres.sql(f"ALTER SYSTEM RESET {name};")
            postgres.sql("SELECT pg_reload_conf();")

    async def settle_down(self, say: Say) -> None:
        """What autovacuum would have done by and by, and all of it on disk."""
        postgres = self.system.engines.postgres
        assert postgres is not None
        say("vacuum, statistics")
        await load.settle_down(self.system.settings)
        say("checkpoint")
        postgres.sql("CHECKPOINT;")

    def measure(self, stage: Stage, name: str, say: Say) -> None:
        """One path, ``rounds`` times.

        Everybody has come once before that: a page is read from the disk once, and logged whole at its first change
        after a checkpoint. That is told apart, because a shop that is open has it behind it.
        """
        stage.first[name] = self._first_visits(stage, name, say)
        expected = self._drive(stage, name, say, seconds=TRY_S, expected=GUESS_PER_S).per_second
        for _ in range(self._options.rounds):
            served = self._drive(stage, name, say, seconds=self._options.seconds, expected=expected * SPARE)
            stage.rates.setdefault(name, []).append(served.per_second)

    def _first_visits(self, stage: Stage, name: str, say: Say) -> float:
        """Everybody comes once, however slow that is; returns how many a second."""
        came, seconds = 0, 0.0
        for _ in range(FIRST_RUNS):
            left = self._options.few - came
            served = self._drive(stage, name, say, seconds=FIRST_S, expected=left / FIRST_S, first=came)
            came += served.driven.answered
            seconds += served.driven.seconds
            if came >= self._options.few:
                break
        return came / seconds

    async def sizes(self, outcome: Outcome) -> None:
        """What it takes on disk."""
        owner = await asyncpg.connect(**db.connect_args(self.system.settings.migrate_database_url))
        try:
            outcome.sizes = [Size(*row) for row in await owner.fetch(_SIZES)]
            outcome.database_bytes = await owner.fetchval("SELECT pg_database_size(current_database())")
            outcome.many.entries = await owner.fetchval("SELECT count(*) FROM ledger_entry")
        finally:
            await owner.close()

    async def audit(self, outcome: Outcome, say: Say) -> None:
        """Prove the books of every ``audit_every``-th group of members."""

        def progress(done: int, total: int) -> None:
            outcome.audited = done
            say(f"{done:,} of {total:,} members")

        args = db.connect_args(self.system.settings.migrate_database_url)
        outcome.findings = len(await audit(args, progress, every=self._options.audit_every))

    def _drive(self, stage: Stage, name: str, say: Say, *, seconds: float, expected: float, first: int = 0) -> Served:
        """Requests that nobody has sent yet, where they are bounded."""
        path, few = paths.every()[name], self._options.few
        wanted = max(1, math.ceil(expected * seconds))
        if path.most is not None:
            wanted = min(wanted, path.most(few))
        self._runs += 1
        order = Order(
            path=name,
            seed=self._seed,
            run=f"g{self._runs}",
            host=self.system.host,
            port=self.system.port,
            members=few,
            first=first,
            count=wanted,
            connections=min(self._options.connections, wanted),
            seconds=seconds,
            after_step=self._last_step,
            prepare_s=1.0 + wanted * PREPARE_S_EACH,
        )
        served = drive(self.system, order, say)
        if path.needs_code:
            self._last_step = served.driven.step
        stage.failures += served.driven.answered - served.driven.accepted
        stage.first_failure = stage.first_failure or served.driven.first_failure
        return served
