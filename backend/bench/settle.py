"""``bench settle``: the server and the database's floor in turn, on one database, and what became of it."""

from __future__ import annotations

import asyncio
import math
import secrets
import statistics

import msgspec

from . import floor as floors
from . import load
from .floor import Floor, PlansRanOut
from .generator import Order
from .plans import PlanMaker
from .population import DEVICES, Population
from .runs import PREPARE_S_EACH, SPARE, Served, drive
from .system import Say, System

GOAL = 0.8
"""The server's sales a second, of what the database posts by itself."""

GOAL_TIMES = 5.0
"""The server's 99th percentile at half of its rate, over pgbench's at the same rate."""

CONNECTIONS = (32, 64, 128, 256)
"""How many tills are tried at once; the best number counts, as of pgbench's clients."""

WINDOWS = 5
"""How often both sides take turns at half of the rate: medians count, as a disk has its bad moments."""

WINDOW_S = 4.0
UNCOUNTED_S = 1.0
"""The beginning of such a window, when connections are new and what was done before still rings on."""

LOG_BYTES = 12_000
"""What a sale leaves in PostgreSQL's log, with room to spare."""

FIRST_MEMBERS = 3000
SHORT_S = 3.0
"""Length of the first tries, and of the till alone."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; ``connections`` are the numbers of tills to try."""

    seconds: float
    rounds: int
    connections: tuple[int, ...] = CONNECTIONS


class Half(msgspec.Struct, kw_only=True):
    """Both in turn at half of the server's rate, each sale at a moment of its own; latencies count from that moment."""

    rate: float
    served: list[Served] = []
    floors: list[Floor] = []

    @property
    def server_ms(self) -> list[tuple[float, ...]]:
        """The server's latencies, window by window."""
        return [served.driven.latencies_ms for served in self.served]

    @property
    def floor_ms(self) -> list[tuple[float, ...]]:
        """pgbench's."""
        return [floor.latencies_ms or () for floor in self.floors]

    @property
    def others(self) -> float:
        """The largest share of the machine that other programs took in a window."""
        return max(*(served.others for served in self.served), *(floor.others for floor in self.floors))

    @property
    def times(self) -> float:
        """The server's 99th percentile over pgbench's: the medians of the windows."""
        return statistics.median(ms[2] for ms in self.server_ms) / statistics.median(ms[2] for ms in self.floor_ms)


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    options: Options
    workers: int
    cpus: int
    members: int
    served: list[Served] = []
    floors: list[Floor] = []
    connections: int
    tried: dict[int, float] = {}
    calibration: dict[int, float] = {}
    lone: Served | None = None
    half: Half | None = None
    findings: int = 0
    audited: int = 0

    @property
    def server_median(self) -> float:
        """Settled sales a second over HTTP."""
        return statistics.median(served.per_second for served in self.served)

    @property
    def floor_median(self) -> float:
        """Posted plans a second by pgbench."""
        return statistics.median(floor.per_second for floor in self.floors)

    @property
    def ratio(self) -> float:
        """The share of the database's own speed that a till gets."""
        return self.server_median / self.floor_median

    @property
    def cost_ratio(self) -> float:
        """The same by processor time alone, which other programs on the machine disturb less."""
        return statistics.median(floor.cost_us for floor in self.floors) / statistics.median(
            served.cost_us for served in self.served
        )

    @property
    def failures(self) -> int:
        """Answers other than 201."""
        runs = [*self.served, *(self.half.served if self.half else [])]
        return sum(served.driven.answered - served.driven.accepted for served in runs)


class Bench:
    """The benchmark on a running system, with what was loaded into it."""

    def __init__(self, system: System, options: Options) -> None:
        self.system = system
        self._settings = system.settings
        self._options = options
        self._script = system.scratch / "bench.sql"
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)
        self._plans = PlanMaker(self._population)
        self._short = min(SHORT_S, options.seconds)
        self._runs = 0
        self._last_step = 0
        self.members = 0
        self.connections = options.connections[0]

    async def load_first(self, say: Say) -> None:
        """The chain, and members enough to find out how fast this machine is."""
        await load.load_chain(self._settings, self._population)
        await self._load_to(FIRST_MEMBERS, say)

    async def load_rest(self, per_second: float, say: Say) -> None:
        """Members enough that every request of a run has a phone of its own."""
        wanted = math.ceil(per_second * self._options.seconds * SPARE / DEVICES)
        if wanted > self.members:
            await self._load_to(wanted, say)

    async def _load_to(self, members: int, say: Say) -> None:
        await load.load_members(self._settings, self._population, self.members, members, say)
        self.members = members
        await load.settle_down(self._settings)

    def calibrate_server(self, say: Say) -> dict[int, float]:
        """Sales a second by number of tills, roughly; from now on it is the best number. Also warms everything up."""
        most, seen = self.members * DEVICES / self._short, {}
        for connections in self._options.connections:
            served = self.serve(say, seconds=self._short, expected=most, connections=connections)
            seen[connections] = served.per_second
        self.connections = max(seen, key=lambda number: seen[number])
        return seen

    def lone_sale(self, say: Say) -> Served:
        """One till alone: how long a sale takes when nothing else is going on."""
        return self.serve(say, seconds=self._short, expected=1000, connections=1)

    def serve(
        self,
        say: Say,
        *,
        seconds: float,
        expected: float,
        connections: int | None = None,
        rate: float = 0.0,
        uncounted_s: float = 0.0,
    ) -> Served:
        """Drive the servers once, with requests for ``expected`` a second prepared; paced where there is a ``rate``."""
        self._runs += 1
        count = min(math.ceil(expected * seconds * SPARE), self.members * DEVICES)
        order = Order(
            path="sale",
            seed=self._seed,
            run=f"s{self._runs}",
            host=self.system.host,
            port=self.system.port,
            members=self.members,
            count=count,
            connections=connections or self.connections,
            seconds=seconds,
            rate=rate,
            uncounted_s=uncounted_s,
            after_step=self._last_step,
            prepare_s=1.0 + count * PREPARE_S_EACH,
        )
        served = drive(self.system, order, say)
        self._last_step = served.driven.step
        return served

    async def calibrate_floor(self, say: Say) -> dict[int, float]:
        """Plans a second by number of clients, roughly."""
        seen: dict[int, float] = {}
        expected = 4000.0
        for clients in floors.CLIENTS:
            floor = await self.post(say, clients=clients, seconds=self._short, expected=expected)
            seen[clients] = expected = floor.per_second
        return seen

    def half(self, say: Say, *, rate: float, clients: int, windows: int = WINDOWS) -> Half:
        """Both in turn at that rate, window by window."""
        seconds = min(WINDOW_S, self._options.seconds) + UNCOUNTED_S
        self._age_log(2 * windows * seconds * rate)
        half = Half(rate=rate)
        for _ in range(windows):
            half.served.append(self.serve(say, seconds=seconds, expected=rate, rate=rate, uncounted_s=UNCOUNTED_S))
            half.floors.append(
                asyncio.run(
                    self.post(say, clients=clients, seconds=seconds, expected=rate, rate=rate, uncounted_s=UNCOUNTED_S)
                )
            )
        return half

    def _age_log(self, sales: float) -> None:
        """Give PostgreSQL used files for its log, as it has them once it is some days old.

        A new file is filled with zeros first, which takes a twentieth of a second and holds up every commit: on a
        cluster this young both sides would be judged by that. Files that a checkpoint finds done with are used again.
        """
        files = math.ceil(sales * LOG_BYTES / floors.LOG_FILE_BYTES) + 1
        assert self.system.engines.postgres is not None
        self.system.engines.postgres.sql(floors.FILL_LOG.format(files=files))

    async def post(
        self,
        say: Say,
        *,
        clients: int,
        seconds: float,
        expected: float,
        rate: float = 0.0,
        uncounted_s: float = 0.0,
    ) -> Floor:
        """Let pgbench post once, paced where there is a ``rate``; where the plans ran out, again with more of them."""
        while True:
            self._runs += 1
            count = math.ceil(expected * seconds * SPARE)
            await floors.fill(self._settings, self._plans, f"p{self._runs}", members=self.members, count=count, say=say)
            say(f"pgbench, {clients} clients")
            before = self.system.processors()
            try:
                floor = await floors.measure(
                    self._settings,
                    self._script,
                    clients=clients,
                    seconds=seconds,
                    filled=count,
                    rate=rate,
                    uncounted_s=uncounted_s,
                )
            except PlansRanOut:
                expected *= 2
                continue
            used = self.system.processors().since(before)
            floor.postgres_cpu_s, floor.others = used.postgres, used.others(floor.cpu_s)
            return floor
