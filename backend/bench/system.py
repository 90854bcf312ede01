"""A running system as a benchmark sees it: where the servers and the engines are, and what they have used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backend.engines.embedded import Engines
from backend.engines.postgres import Postgres
from backend.engines.valkey import Valkey
from backend.kernel import db
from backend.kernel.config import Settings
from backend.ledger.audit import audit

from . import usage
from .usage import Batches

Say = Callable[[str], None]
"""Tells how far a step is."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Processor seconds by who used them, and the ledger writers' batches: up to a moment, or between two.

    ``machine`` is everybody's, ``own`` this process's, ``at`` when that was (seconds of a clock that only runs).
    """

    servers: float = 0.0
    postgres: float = 0.0
    valkey: float = 0.0
    machine: float = 0.0
    own: float = 0.0
    at: float = 0.0
    batches: Batches = Batches()

    def since(self, before: Used) -> Used:
        """What was used since then."""
        return Used(
            servers=self.servers - before.servers,
            postgres=self.postgres - before.postgres,
            valkey=self.valkey - before.valkey,
            machine=self.machine - before.machine,
            own=self.own - before.own,
            at=self.at - before.at,
            batches=self.batches.since(before.batches),
        )

    def others(self, clients_s: float) -> float:
        """The share of the machine that programs took which are no part of the benchmark; its clients took so much."""
        ours = self.servers + self.postgres + self.valkey + self.own + clients_s
        return max(0.0, self.machine - ours) / (self.at * (os.cpu_count() or 1)) if self.at else 0.0


@dataclass(frozen=True, kw_only=True)
class System:
    """Server processes and engines that run now; whoever started them stops them.

    ``servers`` gives the process ids of the servers as they are now; ``scratch`` is a directory for files of a run.
    """

    settings: Settings
    host: str
    port: int
    servers: Callable[[], list[int]]
    engines: Engines
    scratch: Path

    def used(self) -> Used:
        """What everybody has used so far."""
        return msgspec.structs.replace(self.processors(), batches=usage.batches(self.host, self.port))

    def processors(self) -> Used:
        """The same without the writers' batches: no server is asked."""
        return Used(
            servers=usage.cpu_seconds(self.servers()),
            postgres=usage.cpu_seconds(usage.with_children(_pid(self.engines.postgres))),
            valkey=usage.cpu_seconds([_pid(self.engines.valkey)]),
            machine=usage.machine_seconds(),
            own=time.process_time(),
            at=time.monotonic(),
        )

    async def audit(self, say: Say) -> tuple[int, int]:
        """Prove the books; returns the number of findings and of members."""
        members = 0

        def progress(done: int, total: int) -> None:
            nonlocal members
            members = total
            say(f"{done} of {total} members")

        return len(await audit(db.connect_args(self.settings.migrate_database_url), progress)), members


def _pid(engine: Postgres | Valkey | None) -> int:
    if engine is None or engine.child is None:
        raise RuntimeError("the engines are not running")
    return engine.child.pid
