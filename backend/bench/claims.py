"""``bench claims``: many members claim few coupons at once; whether exactly so many are issued, and how soon."""

from __future__ import annotations

import secrets

import asyncpg
import msgspec

from backend.kernel import clock, db

from . import load, paths
from .generator import Driven, Order
from .paths import Rows
from .paths.coupons import TEMPLATE, template_rows
from .population import Population
from .runs import PREPARE_S_EACH, drive
from .system import Say, System

GOAL_S = 10.0
"""The last of 10,000 claims of 100 coupons is answered."""

TIMES = 1
"""How often one member may have it."""

LONGEST_S = 120.0


class Issued(msgspec.Struct, frozen=True):
    """What the books and the rows say: coupons issued by each, the template's own count, most of one member."""

    booked: int
    rows: int
    counted: int
    most: int


class Outcome(msgspec.Struct, kw_only=True):
    """Everything that was measured."""

    claims: int
    members: int
    total: int
    connections: int
    workers: int
    driven: Driven
    issued: Issued
    findings: int = 0
    audited: int = 0

    @property
    def exact(self) -> bool:
        """Whether as many were issued as there were, everywhere, and nobody had more than their share."""
        found = self.issued
        same = {self.driven.accepted, found.booked, found.rows, found.counted}
        return same == {min(self.total, self.members * TIMES)} and found.most <= TIMES

    @property
    def refused_otherwise(self) -> int:
        """Answers that were neither a coupon nor a refusal of the domain."""
        return sum(count for status, count in self.driven.statuses.items() if status != "409")


class Bench:
    """The benchmark on a running system, with what was loaded into it."""

    def __init__(self, system: System, *, claims: int, members: int, total: int, connections: int) -> None:
        self.system = system
        self._claims, self._members, self._total, self._connections = claims, members, total, connections
        self._seed = secrets.token_hex(8)
        self._population = Population(self._seed)

    async def load(self, say: Say) -> None:
        """The chain, the members with a session each, and the template."""
        settings = self.system.settings
        logins = [domain for domain in paths.domains() if any(path.name == "login" for path in domain.paths)]
        await load.load_chain(settings, self._population)
        await load.load_members(settings, self._population, 0, self._members, say, domains=logins)
        await self._load_template(template_rows(clock.now(), total=self._total, per_member=TIMES))
        await load.settle_down(settings)

    async def _load_template(self, rows: Rows) -> None:
        owner = await asyncpg.connect(**db.connect_args(self.system.settings.migrate_database_url))
        try:
            for table, (columns, records) in rows.items():
                await owner.copy_records_to_table(table, records=records, columns=columns)
        finally:
            await owner.close()

    def run(self, say: Say) -> Driven:
        """Every claim once, by so many phones at a time."""
        order = Order(
            path="claim",
            seed=self._seed,
            run="claims",
            host=self.system.host,
            port=self.system.port,
            members=self._members,
            count=self._claims,
            connections=min(self._connections, self._claims),
            seconds=LONGEST_S,
            prepare_s=1.0 + self._claims * PREPARE_S_EACH,
        )
        return drive(self.system, order, say).driven

    async def issued(self) -> Issued:
        """What there is now."""
        owner = await asyncpg.connect(**db.connect_args(self.system.settings.migrate_database_url))
        try:
            row = await owner.fetchrow(
                "SELECT (SELECT count(*) FROM ledger_entry WHERE kind = 'house.coupons_issued' AND ref = $1) AS booked,"
                " (SELECT count(*) FROM coupon WHERE template_id = $1) AS rows,"
                " (SELECT issued FROM coupon_template WHERE id = $1) AS counted, coalesce((SELECT max(n) FROM"
                " (SELECT count(*) AS n FROM coupon WHERE template_id = $1 GROUP BY member_id) AS c), 0) AS most",
                TEMPLATE,
            )
        finally:
            await owner.close()
        return Issued(*row)
