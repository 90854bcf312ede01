"""What ``bench all`` measures: one module a domain, each with a ``Domain`` that names its paths.

A path says how its request number n is written, which answer is right, and what PostgreSQL would have to do for it
anyway (its floor). To add a domain: one module here that declares ``DOMAIN``; nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec

from backend.bench.plans import PlanMaker
from backend.bench.population import ZONE, Member, Population
from backend.bench.requests import Requests
from backend.kernel import clock
from backend.kernel.vault import Vault
from backend.ledger.plans import Plan

Rows = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""What goes into tables: columns and records, by table."""


class Ground(msgspec.Struct, frozen=True):
    """What a floor's arguments are made from: who is loaded, plans, and a time that no floor before had."""

    population: Population
    members: int
    plans: PlanMaker
    run: str
    now: datetime

    @property
    def on(self) -> date:
        """The local day."""
        return clock.local_date(self.now, ZONE)

    def step(self, lap: int) -> int:
        """A code step above every one that was used before."""
        return int(self.now.timestamp() * 1000) + lap


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL does for a path in any case, to be done by pgbench alone.

    Attributes:
        statements: in order, with ``$1``, ``$2`` … as the server sends them.
        types: of the arguments.
        row: the arguments of call number n.
        once: a row is good once only (it posts a plan); others are drawn again and again.
        most: how many different calls so many members have, where ``once`` bounds them.
    """

    statements: tuple[str, ...]
    types: tuple[str, ...]
    row: Callable[[Ground, int], tuple[Any, ...]]
    once: bool = False
    most: Callable[[int], int] | None = None


POST = "SELECT ledger_post($1, $2)"
"""The statement of every path that posts one plan."""


def posting(row: Callable[[Ground, int], tuple[int, str]], most: Callable[[int], int] | None = None) -> Floor:
    """The floor of a path that posts one plan: the member and the plan of call number n."""
    return Floor(statements=(POST,), types=("bigint", "jsonb"), row=row, once=True, most=most)


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request.

    Attributes:
        name: short, as ``--only`` takes it.
        call: method and address, for people.
        request: writes request number n.
        accepted: the status of a right answer.
        before: the status of requests that only prepare the next one: they are sent, and not counted.
        most: how many different requests so many members have; None where they may be asked again and again.
        once: request n is good once, also with another code (it names a coupon).
        needs_code: request n shows the code of phone n (``Population.visit``), of a step it was not shown in before.
        grows: ``bench grow`` measures it too, with few members and with many.
    """

    name: str
    call: str
    request: Callable[[Requests, int], bytes]
    floor: Floor | None = None
    accepted: int = 200
    before: int = 0
    most: Callable[[int], int] | None = None
    once: bool = False
    needs_code: bool = False
    grows: bool = False


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """The paths of one domain and what must be loaded for them, beyond what every member has.

    Attributes:
        order: where its paths stand in the table, and its plans in a member's past.
        rows: rows of a chunk of members, for tables outside the ledger.
        plans: what a member has done before, through ``ledger_load``.
        apart: measured by a benchmark of its own only, not by ``bench all``.
    """

    paths: tuple[Path, ...]
    order: int = 50
    rows: Callable[[Population, Sequence[Member], Vault, datetime], Rows] | None = None
    plans: Callable[[PlanMaker, Member, datetime], Iterable[Plan]] | None = None
    apart: bool = False


def domains() -> tuple[Domain, ...]:
    """Every domain of ``bench all``, in the order of its table."""
    return tuple(domain for domain in _all() if not domain.apart)


def _all() -> list[Domain]:
    found = (import_module(f"{__name__}.{module.name}").DOMAIN for module in iter_modules(__path__))
    return sorted(found, key=lambda domain: domain.order)


def every() -> dict[str, Path]:
    """Every path of ``bench all`` by name, in the order of its table."""
    return {path.name: path for domain in domains() for path in domain.paths}


def find(name: str) -> Path:
    """The path of that name, whichever benchmark measures it."""
    return next(path for domain in _all() for path in domain.paths if path.name == name)


def growing() -> tuple[str, ...]:
    """The names of the paths that ``bench grow`` measures, in the order of the table."""
    return tuple(path.name for path in every().values() if path.grows)
