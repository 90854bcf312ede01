"""``bench settle --coupons``: sales that a coupon pays part of, in turn with sales without, on one database."""

from __future__ import annotations

import math
import secrets
import statistics

import msgspec

from . import load, paths
from .generator import Order
from .paths import coupons
from .population import DEVICES, Population
from .runs import PREPARE_S_EACH, SPARE, Served, drive
from .system import Say, System

GOAL = 0.8
"""Sales with a coupon each, of those without in the same time."""

SIDES = {"without": "sale", "with": "sale-coupon"}
EXPECTED = 2_500
"""Sales a second, at most: for as many a run there are phones and coupons."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    seconds: float
    rounds: int
    connections: int

    @property
    def count(self) -> int:
        """Requests that are prepared for a run."""
        return math.ceil(EXPECTED * self.seconds * SPARE)


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured, by side."""

    options: Options
    workers: int
    members: int
    served: dict[str, list[Served]]
    findings: int = 0
    audited: int = 0

    def median(self, side: str) -> float:
        """Sales a second."""
        return statistics.median(served.per_second for served in self.served[side])

    @property
    def ratio(self) -> float:
        """The rate with a coupon each, over that without."""
        return self.median("with") / self.median("without")

    @property
    def cost_ratio(self) -> float:
        """The same by processor time, which other programs on the machine disturb less."""
        costs = {side: statistics.median(served.cost_us for served in self.served[side]) for side in SIDES}
        return costs["without"] / costs["with"]

    @property
    def failures(self) -> int:
        """Answers other than 201."""
        return sum(run.driven.answered - run.driven.accepted for runs in self.served.values() for run in runs)


class Bench:
    """The benchmark on a running system, with what was loaded into it."""

    def __init__(self, system: System, options: Options) -> None:
        self.system = system
        self._options = options
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)
        self._last_step = 0
        self._runs = 0
        self._used = 0
        self.members = max(100, math.ceil(options.count / DEVICES))

    async def load(self, say: Say) -> None:
        """The chain, and members who hold as many coupons as they will buy with."""
        runs = self._options.rounds + 1  # one to warm up
        held = math.ceil(self._options.count * runs / self.members)
        chain, people = self.system.settings, self._population
        await load.load_chain(chain, people)
        await load.load_members(chain, people, 0, self.members, say, domains=[coupons.holding(held)])
        await load.settle_down(chain)

    def warm(self, say: Say) -> None:
        """Both sides once, briefly: every till and article is known then."""
        for side in SIDES:
            self.serve(side, say, seconds=min(2.0, self._options.seconds))

    def serve(self, side: str, say: Say, *, seconds: float | None = None) -> Served:
        """Drive the servers once; no coupon is shown twice."""
        self._runs += 1
        path, count = paths.every()[SIDES[side]], self._options.count
        order = Order(
            path=path.name,
            seed=self._seed,
            run=f"s{self._runs}",
            host=self.system.host,
            port=self.system.port,
            members=self.members,
            count=min(count, self.members * DEVICES),
            first=self._used if path.once else 0,
            connections=self._options.connections,
            seconds=seconds or self._options.seconds,
            after_step=self._last_step,
            prepare_s=1.0 + count * PREPARE_S_EACH,
        )
        served = drive(self.system, order, say)
        self._used += served.driven.answered if path.once else 0
        self._last_step = served.driven.step
        return served
