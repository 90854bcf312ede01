"""``bench attack``: an honest shop on a running system, alone and then under one attack after the other."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import IO, Any, cast

import msgspec

from backend.engines import datadir

from . import load, usage
from .attackers import Attacked, AttackOrder
from .honest import Honest, HonestOrder
from .paths import members
from .population import Population
from .system import Say, System

GOAL_RATIO = 2.0
GOAL_MB = 20.0
MEMBERS = 500
PER_SECOND = 40
LINE_MBIT = 1_000
"""What the attackers' line carries. Without a bound they would send as fast as this machine copies memory."""

WARM_UP_S = 5.0
LEAD_S = 2.5
"""An attack begins so long before the honest shop is measured: its connections are open by then."""

LOOK_EVERY_S = 0.05


class Memory(msgspec.Struct, frozen=True):
    """Resident memory of all server processes together, in MB."""

    before: float
    peak: float
    after: float

    @property
    def grown(self) -> float:
        """By how much it grew at most."""
        return self.peak - self.before


class Row(msgspec.Struct, kw_only=True):
    """One attack: what the shop saw meanwhile, what the servers held, and what the attacker did."""

    name: str
    honest: Honest
    memory: Memory
    attacked: Attacked


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured. ``idle`` is the shop alone, before the attacks and after them."""

    seconds: float
    workers: int
    line_mbit: int = LINE_MBIT
    idle: list[Honest] = []
    rows: list[Row] = []
    findings: int = 0
    audited: int = 0

    @property
    def idle_ms(self) -> tuple[float, float]:
        """The 50th and 99th percentile of the shop alone; the better of its runs."""
        return min(run.latencies_ms[0] for run in self.idle), min(run.latencies_ms[2] for run in self.idle)

    def ratio(self, row: Row) -> float:
        """The 99th percentile under this attack against that of the shop alone."""
        return row.honest.latencies_ms[2] / self.idle_ms[1]

    @property
    def errors(self) -> int:
        """What went wrong for honest clients."""
        return sum(sum(run.errors.values()) for run in [*self.idle, *(row.honest for row in self.rows)])


class Bench:
    """The benchmark on a running system."""

    def __init__(self, system: System, *, seconds: float, line_mbit: int = LINE_MBIT) -> None:
        self._system = system
        self._seconds = seconds
        self._line_mbit = line_mbit
        self._seed = secrets.token_hex(8)
        self._asked = 0

    async def load(self, say: Say) -> None:
        """The chain and its members."""
        settings, population = self._system.settings, Population(self._seed)
        await load.load_chain(settings, population)
        await load.load_members(settings, population, 0, MEMBERS, say, domains=[members.DOMAIN])
        await load.settle_down(settings)

    def alone(self, *, seconds: float | None = None) -> Honest:
        """The shop without any attack."""
        order = HonestOrder(
            seed=self._seed,
            run=secrets.token_hex(3),
            host=self._system.host,
            port=self._system.port,
            members=MEMBERS,
            first=self._asked,
            seconds=seconds or self._seconds,
            per_second=PER_SECOND,
        )
        self._asked += int(order.seconds * order.per_second) // 2 * 2
        return msgspec.json.decode(_run("honest", order, self._environ()), type=Honest)

    def under(self, name: str) -> Row:
        """The shop while it is attacked."""
        order = AttackOrder(
            name=name,
            seed=self._seed,
            host=self._system.host,
            port=self._system.port,
            seconds=LEAD_S + self._seconds + 1.0,
            line_mbit=self._line_mbit,
        )
        with self._watched() as memory, ThreadPoolExecutor(1) as pool:
            attacking = pool.submit(_run, "attackers", order, self._environ())
            wait([attacking], timeout=LEAD_S)
            honest = self.alone()
            attacked = msgspec.json.decode(attacking.result(), type=Attacked)
        return Row(name=name, honest=honest, memory=memory(), attacked=attacked)

    @contextmanager
    def _watched(self) -> Iterator[Callable[[], Memory]]:
        """Look at the servers' memory all the while; the yielded function tells of it afterwards."""
        before, seen, over = self._memory(), [], threading.Event()

        def look() -> None:
            while not over.wait(LOOK_EVERY_S):
                seen.append(self._memory())

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield lambda: Memory(before, max([before, *seen]), self._memory())
        finally:
            over.set()
            looking.join()

    def _memory(self) -> float:
        return usage.resident_mb(self._system.servers())

    def _environ(self) -> dict[str, str]:
        return datadir.environment(self._system.settings)


def _run(module: str, order: Any, environ: dict[str, str]) -> bytes:
    """Run one of our programs on an order and return what it wrote."""
    command = [sys.executable, "-m", f"backend.bench.{module}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        try:
            stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            stdin.write(msgspec.json.encode(order))
            stdin.close()
            written = stdout.read()
        finally:
            process.kill()
    if not written:
        raise RuntimeError(f"{module} ended without a result")
    return written
