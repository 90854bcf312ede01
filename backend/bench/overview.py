"""``bench all``: every path in turn beside its floor, then memory with open sockets, then the books."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence

import msgspec

from backend.kernel import clock, db

from . import bare, load, paths, sockets, statements, usage
from .generator import Order
from .paths import Ground, Path
from .plans import PlanMaker
from .population import Population
from .requests import Requests
from .runs import PREPARE_S_EACH, SPARE, Served, drive
from .system import Say, System
from .usage import Memory

COUNTED = 100
"""Requests of the run in which statements are counted, one after the other."""

WARMING = 400
"""Requests before that: as many as it takes to have met every till."""

_SHARES = {"warm": 1 / 10, "count": 1 / 20, "alone": 1 / 8, "try": 1 / 6, "run": 1.0}
"""Where the requests that there are do not suffice for everything: what each part may take of them."""

FIRST_S = 1.0
GUESS_PER_S = 4000
_CODES = "codes"
SOCKET_STEPS = (0, 1000, 2000)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: ``only`` names paths, all of them where it is empty."""

    seconds: float
    connections: int
    members: int
    only: tuple[str, ...] = ()
    sockets: tuple[int, ...] = SOCKET_STEPS


class Measured(msgspec.Struct, kw_only=True):
    """One path: the servers with one client and with many, the statements of a request, and the floor."""

    name: str
    call: str
    accepted: int
    alone: Served
    served: Served
    statements: dict[str, float]
    floor_per_second: float | None = None

    @property
    def statements_per_request(self) -> float:
        """Statements sent for one request that comes alone: batches are shared only under load."""
        return sum(self.statements.values())

    @property
    def ratio(self) -> float | None:
        """The share of the floor that a client gets."""
        return self.served.per_second / self.floor_per_second if self.floor_per_second else None

    @property
    def server_us(self) -> float:
        """Processor time of the servers for one request."""
        return self.served.used.servers / max(1, self.served.driven.accepted) * 1e6

    @property
    def failures(self) -> int:
        """Answers that were not the accepted one."""
        return sum(run.driven.answered - run.driven.accepted for run in (self.alone, self.served))

    @property
    def first_failure(self) -> str | None:
        """The first of them, whole."""
        return self.alone.driven.first_failure or self.served.driven.first_failure


class Listening(msgspec.Struct, kw_only=True):
    """A server's memory with so many sockets in all, and how many of them the servers had kept."""

    sockets: int
    alive: int
    memory: Memory


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    options: Options
    workers: int
    cpus: int
    measured: list[Measured] = []
    idle: Memory = Memory()
    loaded: Memory = Memory()
    listening: list[Listening] = []
    findings: int = 0
    audited: int = 0

    @property
    def per_thousand_sockets(self) -> int:
        """Bytes that 1,000 open sockets cost, by the first and the last step (``Pss``, all servers together)."""
        if len(self.listening) < 2:
            return 0
        first, last = self.listening[0], self.listening[-1]
        return (last.memory.pss - first.memory.pss) * self.workers * 1000 // max(1, last.sockets - first.sockets)

    @property
    def failed(self) -> bool:
        """Whether anything was not as it must be."""
        lost = any(step.alive < step.sockets for step in self.listening)
        return bool(self.findings) or lost or any(path.failures for path in self.measured)


class Bench:
    """The benchmark on a running system, with what was loaded into it."""

    def __init__(self, system: System, options: Options) -> None:
        self.system = system
        self._options = options
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)
        self._plans = PlanMaker(self._population)
        self._asked: dict[str, int] = {}
        self._last_step = 0
        self._runs = 0

    def chosen(self) -> list[Path]:
        """The paths to measure; ``KeyError`` with a name that none has."""
        every = paths.every()
        return [every[name] for name in self._options.only] or list(every.values())

    async def load(self, say: Say) -> None:
        """The chain, and members with what the chosen paths need."""
        names = {path.name for path in self.chosen()}
        domains = [domain for domain in paths.domains() if names & {path.name for path in domain.paths}]
        domains += [domain for domain in paths.domains() if domain.rows and domain not in domains]  # log-ins for all
        await load.load_chain(self.system.settings, self._population)
        await load.load_members(self.system.settings, self._population, 0, self._options.members, say, domains=domains)
        await load.settle_down(self.system.settings)

    def memory(self) -> Memory:
        """What a server process has now."""
        return usage.memory(self.system.servers())

    def measure(self, path: Path, say: Say) -> Measured:
        """One path against the servers: counted, alone, with many clients."""
        counted = self._count_statements(path, say)
        many, seconds = self._options.connections, self._options.seconds
        alone = self._drive(path, say, "alone", seconds=FIRST_S, connections=1, count=round(GUESS_PER_S * FIRST_S / 2))
        tried = self._drive(path, say, "try", seconds=FIRST_S, connections=many, count=round(GUESS_PER_S * FIRST_S))
        wanted = math.ceil(tried.per_second * seconds * SPARE * SPARE)
        served = self._drive(path, say, "run", seconds=seconds, connections=many, count=wanted)
        return Measured(
            name=path.name,
            call=path.call,
            accepted=path.accepted,
            alone=alone,
            served=served,
            statements=counted,
        )

    async def floor_of(self, path: Path, measured: Measured, say: Say) -> float | None:
        """Calls a second by pgbench, or None where the path asks PostgreSQL nothing."""
        floor = path.floor
        if floor is None:
            return None
        self._runs += 1
        ground = Ground(
            population=self._population,
            members=self._options.members,
            plans=self._plans,
            run=f"f{self._runs}",
            now=clock.now(),
        )
        count = self._options.members
        if floor.once:
            count = math.ceil(measured.served.per_second * self._options.seconds * 2)
            count = min(count, floor.most(self._options.members)) if floor.most else count
        await bare.fill(self.system, floor, ground, 0, count, say)
        say("pgbench")
        return bare.measure(self.system, floor, seconds=self._options.seconds, filled=count).per_second

    def listen(self, say: Say) -> list[Listening]:
        """Open sockets step by step."""
        host, port = self.system.host, self.system.port
        requests = Requests(self._population, members=self._options.members, host=f"{host}:{port}", run="live")
        found: list[Listening] = []
        with sockets.phones(host, port, requests) as phones:
            for count in self._options.sockets:
                phones.open_to(count, say)
                found.append(Listening(sockets=count, alive=phones.alive(), memory=self.memory()))
        return found

    def _count_statements(self, path: Path, say: Say) -> dict[str, float]:
        assert self.system.engines.postgres is not None
        database = db.connect_args(self.system.settings.database_url)["database"]
        # Afterwards every statement is prepared, and every till and article is known.
        self._drive(path, say, "warm", seconds=FIRST_S, connections=4, count=WARMING)
        with statements.logged(self.system.engines.postgres, database) as seen:
            served = self._drive(path, say, "count", seconds=20, connections=1, count=COUNTED)
        answered = max(1, served.driven.answered)
        return {text: round(count / answered, 2) for text, count in seen.most_common() if count / answered >= 0.05}

    def _drive(self, path: Path, say: Say, part: str, *, seconds: float, connections: int, count: int) -> Served:
        """Requests that nobody has sent yet, where each is good once; phones show their codes in turn."""
        first, after_step = 0, 0
        if path.most is not None:
            most = path.most(self._options.members)
            count = min(count, math.ceil(most * _SHARES[part]))
            first = self._asked.get(_counted_as(path), 0)
            after_step = self._last_step if path.once else 0
            if (
                path.needs_code and not path.once and first + count > most
            ):  # all over again, with a code that no phone has shown yet
                first, after_step = 0, self._last_step
            count = min(count, most - first)
        if count < 1:
            raise RuntimeError(f"{path.name}: every request there was has been sent; load more members")
        self._runs += 1
        order = Order(
            path=path.name,
            seed=self._seed,
            run=f"s{self._runs}",
            host=self.system.host,
            port=self.system.port,
            members=self._options.members,
            count=count,
            first=first,
            connections=min(connections, count),
            seconds=seconds,
            after_step=after_step,
            prepare_s=1.0 + count * PREPARE_S_EACH,
        )
        served = drive(self.system, order, say)
        self._asked[_counted_as(path)] = first + served.driven.answered
        self._last_step = max(self._last_step, served.driven.step)
        return served


def _counted_as(path: Path) -> str:
    """Who shares the count of what was asked: phones show their codes in turn, whatever for."""
    return _CODES if path.needs_code and not path.once else path.name


def chosen_names(given: Sequence[str]) -> tuple[str, ...]:
    """The names given by commas or several times; ``ValueError`` names one that no path has."""
    names = tuple(name.strip() for item in given for name in item.split(",") if name.strip())
    unknown = [name for name in names if name not in paths.every()]
    if unknown:
        raise ValueError(f"no path is called {', '.join(unknown)}; there are: {', '.join(paths.every())}")
    return names
